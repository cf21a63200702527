"""objects/: a row for each image, with its objects and their pixels inside the region of a map."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pytorch_lightning as pl
import torch

from gapnet.data.object_masks import Segmented
from gapnet.data.records import Records
from gapnet.data.sample import Batch
from gapnet.evaluation.store import About, Kind, Writer, read_parts
from gapnet.models.gapnet import GapNet
from gapnet.ops.maps import map_on_image
from gapnet.transfer.overlap import ImageObjects, ObjectPixels, count_pixels

LISTS = ("names", "pixels", "inside")
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("scene", pa.int32()),
        ("predicted", pa.int32()),  # -1 for an image that could not be read
        ("names", pa.list_(pa.string())),
        ("pixels", pa.list_(pa.int32())),
        ("inside", pa.list_(pa.int32())),
    ]
)
UNREAD = -1


class ObjectRow(NamedTuple):
    """The objects of one image; fields as in the schema."""

    id: str
    scene: int
    predicted: int
    names: Sequence[str] = ()
    pixels: Sequence[int] = ()
    inside: Sequence[int] = ()


def _invalid_column(table: pa.Table, about: About) -> str | None:
    """Return the name of a column with invalid values; None if all are valid."""
    for name in table.column_names:
        if table[name].null_count:
            return str(name)
    for name in ("scene", "predicted"):
        values = table[name].to_numpy()
        if ((values < UNREAD) | (values >= len(about.classes))).any():
            return name
    lengths = [pc.list_value_length(table[name]) for name in LISTS]
    if any(not length.equals(lengths[0]) for length in lengths):
        return "pixels"
    pixels, inside = (table[name].combine_chunks().flatten().to_numpy() for name in LISTS[1:])
    return "inside" if ((inside < 0) | (inside > pixels)).any() else None


OBJECTS = Kind("objects", SCHEMA, _invalid_column)


def read_objects(folder: Path) -> list[ImageObjects]:
    """Read the objects of the images that could be read."""
    table, _ = read_parts(folder, kind=OBJECTS)
    return [
        ImageObjects(row["scene"], list(map(ObjectPixels, *(row[name] for name in LISTS))))
        for row in table.to_pylist()
        if row["predicted"] != UNREAD
    ]


class ObjectCounter(pl.LightningModule):
    """Lightning module that writes the objects of one image per row; it returns nothing."""

    def __init__(
        self, network: GapNet, source: Segmented, records: Records, writer: Writer, *, high: float
    ) -> None:
        """Count objects where the map of the predicted class is at least `high` of its maximum."""
        super().__init__()
        self.network, self.source, self.records = network, source, records
        self.writer, self.high = writer, high
        self.stage_names = [f"objects of {writer.about.split}"]
        # There may be more ranks than batches
        self.allow_zero_length_dataloader_with_multiple_devices = True

    def on_predict_start(self) -> None:
        """Name the parts after the rank."""
        self.writer.rank = self.global_rank

    def predict_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        """Write the rows of a batch."""
        features = self.network.forward_features(self.network.normalise(batch.images))
        predicted = self.network.forward_head(features).argmax(1)
        maps = self.network.class_maps(features, predicted[:, None])[:, 0].cpu()
        labels = predicted.tolist()
        rows = [self._row(batch, index, maps[index], labels[index]) for index in range(len(labels))]
        self.writer.add(rows)

    def on_predict_epoch_end(self) -> None:
        """Write the remaining rows."""
        self.writer.flush()

    def _row(self, batch: Batch, index: int, heat: torch.Tensor, predicted: int) -> ObjectRow:
        record = self.records.of_id(batch.ids[index])
        if batch.corrupt[index] is not None:
            return ObjectRow(record.id, record.label, UNREAD)
        height, width = batch.sizes[index].tolist()
        masks = self.source.object_masks(record)
        region = map_on_image(heat, batch.windows[index], (height, width)) >= self.high
        counts = count_pixels(masks, region.numpy())
        columns = zip(*counts, strict=True) if counts else ((), (), ())
        return ObjectRow(record.id, record.label, predicted, *columns)
