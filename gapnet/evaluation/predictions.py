"""Predictions in memory: the columns of predictions/, in the order of the ground truth."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from gapnet.errors import GapnetError
from gapnet.evaluation.row_checks import NOBODY
from gapnet.evaluation.store import About
from gapnet.ops.boxes import clip


class Guesses(NamedTuple):
    """Hold labels (N, G), NOBODY where there is none, and boxes (N, G, 4)."""

    labels: Tensor
    boxes: Tensor


class SweptBoxes(NamedTuple):
    """Hold the boxes (S, 4) of some images in pixels, with the row and the cut of each, (S,)."""

    boxes: Tensor
    rows: Tensor
    cuts: Tensor


@dataclass(frozen=True)
class Predictions:
    """Hold predictions as a table of the store's schema."""

    table: pa.Table
    about: About

    def __len__(self) -> int:
        """Count the images."""
        return int(self.table.num_rows)

    @property
    def ids(self) -> list[str]:
        """List the ids."""
        ids: list[str] = self.table["id"].to_pylist()
        return ids

    @cached_property
    def sizes(self) -> Tensor:
        """Give (height, width) of each image, (N, 2)."""
        return torch.stack([_flat(self.table[name]) for name in ("height", "width")], 1).double()

    @cached_property
    def classes(self) -> Tensor:
        """Give the most probable classes (N, R), best first."""
        return _padded(self.table["classes"], NOBODY)

    @cached_property
    def guesses(self) -> Guesses:
        """Give the guesses, most confident first."""
        labels = _padded(self.table["guess_labels"], NOBODY)
        boxes = _padded(self.table["guess_boxes"], 0).double()
        return Guesses(labels, boxes.view(len(labels), -1, 4))

    @cached_property
    def known(self) -> Tensor | None:
        """Give the boxes of the true classes (N, 4); None where some image has none."""
        if self.table["known_box"].null_count:
            return None
        return _flat(self.table["known_box"]).double().view(-1, 4)

    @cached_property
    def pixels(self) -> Tensor | None:
        """Give how many pixels are as warm as each of D bins, (N, 2, D): the object's, others'."""
        column = self.table["pixels"]
        return None if column.null_count else _flat(column).view(len(self), 2, -1)

    def swept(self, rows: int) -> Iterator[SweptBoxes] | None:
        """Give the boxes of the sweeps of `rows` images at a time; None where some has none."""
        if self.table["swept_boxes"].null_count or not self.about.cuts:
            return None
        starts = range(0, len(self), rows)
        return (_swept(self.table.slice(start, rows), start) for start in starts)

    @property
    def one_box_a_cut(self) -> bool:
        """Tell whether no sweep has more than one box at a cut."""
        boxes = len(self.table["swept_cuts"].combine_chunks().flatten())
        return boxes == len(self) * len(self.about.cuts)

    def take(self, rows: Sequence[int]) -> "Predictions":
        """Choose rows."""
        return replace(self, table=self.table.take(pa.array(rows, pa.int64())))


def align(predictions: Predictions, ids: Sequence[str]) -> Predictions:
    """Put predictions into the order of ids; an image without a prediction is an error."""
    rows = {each: row for row, each in enumerate(predictions.ids)}
    missing = [each for each in ids if each not in rows]
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
    order = [rows[each] for each in ids]
    return predictions if order == list(range(len(rows))) else predictions.take(order)


def _swept(table: pa.Table, start: int) -> SweptBoxes:
    """Carry boxes from cells to pixels."""
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
    """Fill the lists of a column up to the longest."""
    lengths = torch.from_numpy(
        column.combine_chunks().value_lengths().to_numpy(zero_copy_only=False).astype(np.int64)
    )
    flat = _flat(column)
    most = int(lengths.max()) if len(lengths) else 0
    padded = torch.full((len(lengths), most), filling, dtype=flat.dtype)
    padded[torch.arange(most) < lengths[:, None]] = flat
    return padded
