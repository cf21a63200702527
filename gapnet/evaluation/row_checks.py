"""What rows of predictions must be: a part may be a stranger's, or damaged where no sum tells."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gapnet.ops.boxes import LARGEST

NOBODY = -1  # the label of a guess that was not made


def unsound(table: pa.Table, *, classes: int, cuts: int) -> str | None:
    """Name a column whose values nothing could have predicted; None if all is well."""
    return next(_unsound(table, classes, cuts), None)


def _unsound(table: pa.Table, classes: int, cuts: int) -> Iterator[str]:
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
    yield from _of_other_lengths(table)


def _of_other_lengths(table: pa.Table) -> Iterator[str]:
    """Name columns whose lists are longer or shorter than what they belong to."""
    for name, length in (("known_box", 4), ("window", 4), ("grid", 2)):
        if not np.isin(_lengths(table, name), (length, 0)).all():
            yield name
    for name, of in (("guess_boxes", "guess_labels"), ("swept_boxes", "swept_cuts")):
        if (_lengths(table, name) != 4 * _lengths(table, of)).any():
            yield name
    scores = _lengths(table, "scores")
    if (scores[scores > 0] != _lengths(table, "classes")[scores > 0]).any():  # there may be none
        yield "scores"


def _within(table: pa.Table, name: str, least: float, most: float) -> bool:
    """Tell whether every number of a column is there and in a range, which NaN is not."""
    values = table[name].combine_chunks()
    flat = values.flatten() if pa.types.is_list(values.type) else values
    if flat.null_count:
        return False
    numbers = flat.to_numpy(zero_copy_only=False)
    return bool(((numbers >= least) & (numbers <= most)).all())


def _lengths(table: pa.Table, name: str) -> NDArray[np.int64]:
    """Count the numbers of each row; none where the list itself is not there."""
    counts = table[name].combine_chunks().value_lengths().fill_null(0)
    return np.asarray(counts.to_numpy(zero_copy_only=False), dtype=np.int64)
