"""One figure of several runs that differ by their seed alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from gapnet.errors import GapnetError
from gapnet.evaluation.bootstrap import intervals, nested_interval
from gapnet.evaluation.compare import aligned, read_verdicts

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Averaged:
    """Hold the mean of a figure over S runs on the same n images, and how sure it is.

    Args:
        value: the mean.
        low: of its 95% interval.
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
    if verdicts is None:
        return None
    mean = torch.from_numpy(verdicts.mean(0))[:, None]
    low, high = intervals(mean, resamples=resamples, seed=seed)
    return _averaged(verdicts, low.item(), high.item())


def difference(
    better: Sequence[Path], worse: Sequence[Path], figure: str, *, resamples: int, seed: int
) -> Averaged | None:
    """Average what the second runs have above the first, image by image and run by run.

    A single run is held against each of the others. The interval is over images and runs.
    """
    if not better or not worse:
        return None
    if 1 not in (len(better), len(worse)) and len(better) != len(worse):
        raise GapnetError(f"{len(better)} runs and {len(worse)}: only as many can be paired")
    verdicts = _verdicts([*better, *worse], figure)
    if verdicts is None:
        return None
    found = verdicts[len(better) :] - verdicts[: len(better)]
    values = torch.from_numpy(found.T)
    return _averaged(found, *nested_interval(values, resamples=resamples, seed=seed))


def _averaged(verdicts: Values, low: float, high: float) -> Averaged:
    """Average verdicts (S, n)."""
    runs = tuple(verdicts.mean(1).tolist())
    return Averaged(float(np.mean(runs)), low, high, verdicts.shape[1], runs)


def _verdicts(runs: Sequence[Path], figure: str) -> Values | None:
    """Read the verdicts (S, n) of runs, by their first protocol, on the images that all count.

    None if some run lacks the figure, or no image counts.
    """
    tables = [read_verdicts(each) for each in runs]
    names = [_named(each, figure) for each in tables]
    if not names or None in names:
        return None
    for each, path in zip(tables, runs, strict=True):
        if each.schema.metadata != tables[0].schema.metadata:
            raise GapnetError(f"{runs[0]} and {path}: are of different images, labels or boxes")
    pairs = zip(tables, runs, strict=True)
    same = [aligned(tables[0], each, runs[0], path) for each, path in pairs]
    every = np.stack([_column(each, name) for each, name in zip(same, names, strict=True)])
    counted = every[:, ~np.isnan(every).any(0)]
    return counted if counted.size else None


def _named(table: pa.Table, figure: str) -> str | None:
    """Find the column of a figure; in front of a column's name stands its protocol's."""
    return next((each for each in table.column_names if each.partition("/")[2] == figure), None)


def _column(table: pa.Table, name: str | None) -> Values:
    values: Values = table[name].to_numpy(zero_copy_only=False).astype(np.float64)
    return values
