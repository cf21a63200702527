"""One figure of several runs that differ by their seed alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from gapnet.errors import GapnetError
from gapnet.evaluation.bootstrap import intervals
from gapnet.evaluation.compare import aligned, read_verdicts

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Averaged:
    """Hold the mean of a figure over S runs on the same n images, and how sure it is.

    Args:
        value: the mean.
        low: of its 95% interval, from resampling images, each with its verdicts in all runs.
        high: likewise.
        n: images.
        runs: the figure of each.
    """

    value: float
    low: float
    high: float
    n: int
    runs: tuple[float, ...]

    @property
    def deviation(self) -> float | None:
        """Give the standard deviation over runs; one run has none."""
        return float(np.std(self.runs, ddof=1)) if len(self.runs) > 1 else None


def average(runs: Sequence[Path], figure: str, *, resamples: int, seed: int) -> Averaged | None:
    """Average a figure over runs; None if they do not have it."""
    verdicts = _verdicts(runs, figure)
    return None if verdicts is None else _averaged(verdicts, resamples=resamples, seed=seed)


def difference(
    better: Sequence[Path], worse: Sequence[Path], figure: str, *, resamples: int, seed: int
) -> Averaged | None:
    """Average what the second runs have above the first, image by image.

    Runs are paired by their place, so as many differences are listed as the shorter list has.
    """
    pairs = [_verdicts(each, figure) for each in zip(better, worse, strict=False)]
    found = [each[1] - each[0] for each in pairs if each is not None]
    if len(found) < len(pairs) or not pairs:
        return None
    return _averaged(np.stack(found), resamples=resamples, seed=seed)


def _averaged(verdicts: Values, *, resamples: int, seed: int) -> Averaged:
    """Average verdicts (S, n)."""
    counted = verdicts[:, ~np.isnan(verdicts).any(0)]
    mean = torch.from_numpy(counted.mean(0))
    low, high = intervals(mean[:, None], resamples=resamples, seed=seed)
    each = tuple(counted.mean(1).tolist())
    return Averaged(mean.mean().item(), low.item(), high.item(), counted.shape[1], each)


def _verdicts(runs: Sequence[Path], figure: str) -> Values | None:
    """Read the verdicts (S, n) of runs, by their first protocol; NaN where an image is left out."""
    tables = [read_verdicts(each) for each in runs]
    names = [_named(each, figure) for each in tables]
    if not names or None in names:
        return None
    for each, path in zip(tables, runs, strict=True):
        if each.schema.metadata != tables[0].schema.metadata:
            raise GapnetError(f"{runs[0]} and {path}: are of different images, labels or boxes")
    same = [
        aligned(tables[0], each, runs[0], path) for each, path in zip(tables, runs, strict=True)
    ]
    return np.stack([_column(each, name) for each, name in zip(same, names, strict=True)])


def _named(table: pa.Table, figure: str) -> str | None:
    """Find the column of a figure; in front of a column's name stands its protocol's."""
    return next((each for each in table.column_names if each.partition("/")[2] == figure), None)


def _column(table: pa.Table, name: str | None) -> Values:
    values: Values = table[name].to_numpy(zero_copy_only=False).astype(np.float64)
    return values
