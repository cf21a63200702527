"""Checks rows of predictions, which may come from others or be damaged."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gapnet.ops.boxes import LARGEST

NOBODY = -1  # the label of a missing guess


def invalid_column(table: pa.Table, *, classes: int, cuts: int) -> str | None:
    """Return the name of a column with invalid values; None if all are valid."""
    return next(_invalid_columns(table, classes, cuts), None)


def _invalid_columns(table: pa.Table, classes: int, cuts: int) -> Iterator[str]:
    yield from (name for name in ("id", "height", "width") if table[name].null_count)
    yield from (name for name in ("height", "width") if not _within(table, name, 0, LARGEST))
    for name in ("classes", "guess_labels"):
        if not _within(table, name, NOBODY, classes - 1):
            yield name
    if not _within(table, "swept_cuts", 0, cuts - 1):
        yield "swept_cuts"
    for name in ("guess_boxes", "known_box", "window"):
        if not _within(table, name, -LARGEST, LARGEST):
            yield name
    if not (_within(table, "scores", 0, 1) and _within(table, "grid", 1, LARGEST)):
        yield "scores or grid"
    yield from _columns_of_wrong_length(table)


def _columns_of_wrong_length(table: pa.Table) -> Iterator[str]:
    """Yield the columns whose lists have the wrong length."""
    for name, length in (("known_box", 4), ("window", 4), ("grid", 2)):
        if not np.isin(_lengths(table, name), (length, 0)).all():
            yield name
    for name, other in (("guess_boxes", "guess_labels"), ("swept_boxes", "swept_cuts")):
        if (_lengths(table, name) != 4 * _lengths(table, other)).any():
            yield name
    scores = _lengths(table, "scores")
    if (scores[scores > 0] != _lengths(table, "classes")[scores > 0]).any():  # there may be none
        yield "scores"


def _within(table: pa.Table, name: str, least: float, most: float) -> bool:
    """Return whether all numbers of a column are present and in a range; NaN is not."""
    values = table[name].combine_chunks()
    flat = values.flatten() if pa.types.is_list(values.type) else values
    if flat.null_count:
        return False
    numbers = flat.to_numpy(zero_copy_only=False)
    return bool(((numbers >= least) & (numbers <= most)).all())


def _lengths(table: pa.Table, name: str) -> NDArray[np.int64]:
    """Return how many numbers the rows have; 0 for null."""
    counts = table[name].combine_chunks().value_lengths().fill_null(0)
    return np.asarray(counts.to_numpy(zero_copy_only=False), dtype=np.int64)
