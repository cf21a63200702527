"""predictions/: a folder of Parquet parts, one row per image, written whole or not at all."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from gapnet.errors import GapnetError

FLUSH_EVERY = 4096  # rows; what a killed prediction loses at most
# classes and scores: the most probable ones and their probabilities, best first. guess_boxes: four
# numbers a guess, inclusive xyxy in pixels of the file. truth_iou: of the box of the true class, by
# the boxer's own rule, and truth_ious at each cut of the sweep; null without true boxes.
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("height", pa.int32()),
        ("width", pa.int32()),
        ("classes", pa.list_(pa.int32())),
        ("scores", pa.list_(pa.float32())),
        ("guess_labels", pa.list_(pa.int32())),
        ("guess_boxes", pa.list_(pa.float32())),
        ("truth_iou", pa.float32()),
        ("truth_ious", pa.list_(pa.float32())),
    ]
)


class About(NamedTuple):
    """Say what predictions were made of and by: it is kept in every part.

    `rules` are those of the localizer and the protocol, `cut` is the boxer's own, and `cuts` are
    those of the sweep.
    """

    split: str
    network: str
    rules: str
    num_classes: int
    cut: float
    cuts: list[float]


class Row(NamedTuple):
    """Hold the prediction for one image; fields as in the schema."""

    id: str
    height: int
    width: int
    classes: list[int]
    scores: list[float]
    guess_labels: list[int]
    guess_boxes: list[float]
    truth_iou: float | None
    truth_ious: list[float] | None


class Overlaps(NamedTuple):
    """Hold the IoU of the true class's box: by the boxer's own rule (N,), and at T cuts (N, T)."""

    own: Tensor
    swept: Tensor
    cuts: list[float]


@dataclass(frozen=True)
class Predictions:
    """Hold predictions as tensors, one row per image, in the order of `ids`.

    sizes (N, 2) are (height, width); classes (N, R); guess_labels (N, G); guess_boxes (N, G, 4).
    Without overlaps, some image had no true boxes.
    """

    ids: list[str]
    sizes: Tensor
    classes: Tensor
    guess_labels: Tensor
    guess_boxes: Tensor
    overlaps: Overlaps | None
    about: About


class Writer:
    """Write rows in parts; each part gets its name when it is complete."""

    def __init__(self, folder: Path, about: About, *, rank: int = 0) -> None:
        """Write into `folder`, and what the predictions are `about` into each part."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.rank, self.part = folder, rank, 0
        self.schema = SCHEMA.with_metadata({"gapnet": json.dumps(about._asdict())})
        self.rows: list[Row] = []

    def add(self, rows: Sequence[Row]) -> None:
        """Take rows, and write a part when there are enough."""
        self.rows += rows
        if len(self.rows) >= FLUSH_EVERY:
            self.flush()

    def flush(self) -> None:
        """Write what is there."""
        if not self.rows:
            return
        table = pa.Table.from_pylist([row._asdict() for row in self.rows], schema=self.schema)
        name = f"part-{self.rank:03d}-{self.part:05d}.parquet"
        unfinished = self.folder / f".{name}.unfinished"
        pq.write_table(table, unfinished, compression="zstd")
        unfinished.replace(self.folder / name)
        self.rows, self.part = [], self.part + 1


def read(folder: Path) -> Predictions:
    """Read all parts; an image that was predicted twice counts once."""
    parts = sorted(folder.glob("part-*.parquet"))
    if not parts:
        raise GapnetError(f"{folder}: holds no predictions (part-*.parquet)")
    try:
        tables = [pq.read_table(part) for part in parts]
        table = pa.concat_tables(tables)
    except (pa.ArrowInvalid, OSError) as error:
        raise GapnetError(
            f"{folder}: cannot be read as predictions ({str(error).splitlines()[0]})"
        ) from error
    made_by = {(part.schema.metadata or {}).get(b"gapnet") for part in tables}
    if len(made_by) > 1:
        raise GapnetError(f"{folder}: its parts were made by different networks or rules")
    metadata = made_by.pop()
    if metadata is None or not table.schema.equals(SCHEMA, check_metadata=False):
        raise GapnetError(f"{folder}: its columns are not those of gapnet's predictions")
    about = About(**json.loads(metadata))
    _, first = np.unique(np.array(table["id"].to_pylist()), return_index=True)
    return _to_tensors(table.take(pa.array(np.sort(first))), about)


def _to_tensors(table: pa.Table, about: About) -> Predictions:
    count = table.num_rows
    own, swept = _column(table, "truth_iou"), _column(table, "truth_ious")
    boxed = not own.isnan().any()
    return Predictions(
        ids=table["id"].to_pylist(),
        sizes=torch.stack([_column(table, "height"), _column(table, "width")], 1),
        classes=_column(table, "classes").view(count, -1),
        guess_labels=_column(table, "guess_labels").view(count, -1),
        guess_boxes=_column(table, "guess_boxes").view(count, -1, 4),
        overlaps=Overlaps(own, swept.view(count, -1), about.cuts) if boxed else None,
        about=about,
    )


def _column(table: pa.Table, name: str) -> Tensor:
    values = table[name].combine_chunks()
    flat = values.flatten() if pa.types.is_list(values.type) else values
    return torch.from_numpy(flat.to_numpy(zero_copy_only=False).copy())
