"""Predictions in memory: the columns of predictions/ as tensors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from gapnet.errors import GapnetError
from gapnet.evaluation.row_checks import NOBODY
from gapnet.evaluation.store import About, read_parts
from gapnet.ops.boxes import clip


class Guesses(NamedTuple):
    """Labels (N, G), NOBODY for a missing guess, and boxes (N, G, 4)."""

    labels: Tensor
    boxes: Tensor


class SweptBoxes(NamedTuple):
    """Boxes (S, 4) of several images in pixels, with their rows and cuts, (S,)."""

    boxes: Tensor
    rows: Tensor
    cuts: Tensor


@dataclass(frozen=True)
class Predictions:
    """Predictions as a table with the schema of predictions/."""

    table: pa.Table
    about: About

    def __len__(self) -> int:
        """Return the number of images."""
        return int(self.table.num_rows)

    @property
    def ids(self) -> list[str]:
        """Return the ids of the images."""
        ids: list[str] = self.table["id"].to_pylist()
        return ids

    @cached_property
    def sizes(self) -> Tensor:
        """Return (height, width) per image, (N, 2)."""
        return torch.stack([_flat(self.table[name]) for name in ("height", "width")], 1).double()

    @cached_property
    def classes(self) -> Tensor:
        """Return the most probable classes (N, R), best first."""
        return _padded(self.table["classes"], NOBODY)

    @cached_property
    def guesses(self) -> Guesses:
        """Return the guesses, most confident first."""
        labels = _padded(self.table["guess_labels"], NOBODY)
        boxes = _padded(self.table["guess_boxes"], 0).double()
        return Guesses(labels, boxes.view(len(labels), -1, 4))

    @cached_property
    def known(self) -> Tensor | None:
        """Return the boxes of the true classes (N, 4); None if an image has none."""
        if self.table["known_box"].null_count:
            return None
        return _flat(self.table["known_box"]).double().view(-1, 4)

    @cached_property
    def pixels(self) -> Tensor | None:
        """Return histograms of maps on the object's and on other pixels, in D bins, (N, 2, D)."""
        column = self.table["pixels"]
        return None if column.null_count else _flat(column).view(len(self), 2, -1)

    def swept(self, rows: int) -> Iterator[SweptBoxes] | None:
        """Yield the boxes of the sweeps, `rows` images at a time; None if an image has no sweep."""
        if self.table["swept_boxes"].null_count or not self.about.cuts:
            return None
        starts = range(0, len(self), rows)
        return (_swept(self.table.slice(start, rows), start) for start in starts)

    @property
    def one_box_a_cut(self) -> bool:
        """Return whether all sweeps have one box per cut."""
        boxes = len(self.table["swept_cuts"].combine_chunks().flatten())
        return boxes == len(self) * len(self.about.cuts)

    def take(self, rows: Sequence[int]) -> "Predictions":
        """Return the predictions of some rows."""
        return replace(self, table=self.table.take(pa.array(rows, pa.int64())))


def align(predictions: Predictions, ids: Sequence[str]) -> Predictions:
    """Return predictions in the order of ids; an image without a prediction is an error."""
    rows = {image: row for row, image in enumerate(predictions.ids)}
    missing = [image for image in ids if image not in rows]
    if missing:
        raise GapnetError(
            f"{len(missing)} of {len(ids)} images have no prediction, "
            f"the first of them {missing[0]}"
        )
    if len(rows) > len(ids):
        extra = next(iter(rows.keys() - set(ids)))
        raise GapnetError(
            f"{len(rows) - len(ids)} of {len(rows)} predictions are for images that are not in the "
            f"split, {extra} among them"
        )
    order = [rows[image] for image in ids]
    return predictions if order == list(range(len(rows))) else predictions.take(order)


def read_aligned(folder: Path, ids: Sequence[str]) -> Predictions:
    """Read predictions in the order of ids."""
    return align(Predictions(*read_parts(folder)), ids)


def _swept(table: pa.Table, start: int) -> SweptBoxes:
    """Return the boxes of a table's sweeps, converted from cells to pixels."""
    counts = table["swept_cuts"].combine_chunks().value_lengths().to_numpy(zero_copy_only=False)
    rows = torch.from_numpy(np.repeat(np.arange(table.num_rows), counts))
    cells = _flat(table["swept_boxes"]).double().view(-1, 4)
    window = _flat(table["window"]).double().view(-1, 4)
    grid = _flat(table["grid"]).double().view(-1, 2).flip(1)
    origin, cell = window[:, :2], (window[:, 2:] - window[:, :2]) / grid
    origin, cell = origin[rows], cell[rows]
    boxes = torch.cat([origin + cells[:, :2] * cell, origin + (cells[:, 2:] + 1) * cell - 1], 1)
    sizes = torch.stack([_flat(table["height"]), _flat(table["width"])], 1)[rows]
    return SweptBoxes(clip(boxes, sizes), rows + start, _flat(table["swept_cuts"]).long())


def _flat(column: pa.ChunkedArray) -> Tensor:
    values = column.combine_chunks()
    flat = values.flatten() if pa.types.is_list(values.type) else values
    return torch.from_numpy(flat.to_numpy(zero_copy_only=False).copy())


def _padded(column: pa.ChunkedArray, filling: float) -> Tensor:
    """Return the lists of a column, padded to the longest."""
    lengths = torch.from_numpy(
        column.combine_chunks().value_lengths().to_numpy(zero_copy_only=False).astype(np.int64)
    )
    flat = _flat(column)
    most = int(lengths.max()) if len(lengths) else 0
    padded = torch.full((len(lengths), most), filling, dtype=flat.dtype)
    padded[torch.arange(most) < lengths[:, None]] = flat
    return padded
