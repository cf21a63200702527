"""Metrics of several runs that differ only by their seed."""

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
from gapnet.runs.metric_choice import MetricChoice

Values = NDArray[np.float64]


@dataclass(frozen=True)
class SeedMean:
    """Mean of a metric over S runs.

    Args:
        value: the mean.
        low: lower bound of its 95% interval; None where the results of single images are unknown.
        high: upper bound.
        n: number of images; None if unknown.
        runs: the metric per run.
    """

    value: float
    low: float | None
    high: float | None
    n: int | None
    runs: tuple[float, ...]

    @property
    def deviation(self) -> float | None:
        """Return the standard deviation over runs; None for one run."""
        return float(np.std(self.runs, ddof=1)) if len(self.runs) > 1 else None


def average(
    runs: Sequence[Path], metric: MetricChoice, *, resamples: int, seed: int
) -> SeedMean | None:
    """Average a metric over files of verdicts, with an interval; None if one of them lacks it."""
    verdicts = _verdicts(runs, [metric] * len(runs))
    if verdicts is None:
        return None
    mean = torch.from_numpy(verdicts.mean(0))[:, None]
    low, high = intervals(mean, resamples=resamples, seed=seed)
    return _mean_of_verdicts(verdicts, low.item(), high.item())


def average_values(values: Sequence[float], n: int | None = None) -> SeedMean:
    """Average the values of runs whose verdicts are unknown.

    >>> average_values([0.25, 0.75])
    SeedMean(value=0.5, low=None, high=None, n=None, runs=(0.25, 0.75))
    """
    return SeedMean(float(np.mean(values)), None, None, n, tuple(values))


def difference(
    better: Sequence[Path],
    worse: Sequence[Path],
    metric: MetricChoice,
    *,
    worse_metric: MetricChoice | None = None,
    resamples: int,
    seed: int,
) -> SeedMean | None:
    """Return the mean of worse - better over images and runs.

    A single run is compared with all others. The interval is over images and runs. None if
    one of the files lacks its metric; without `worse_metric` both have the same.
    """
    if not better or not worse:
        return None
    _check_pairs(better, worse)
    metrics = [metric] * len(better) + [worse_metric or metric] * len(worse)
    verdicts = _verdicts([*better, *worse], metrics)
    if verdicts is None:
        return None
    differences = verdicts[len(better) :] - verdicts[: len(better)]
    values = torch.from_numpy(differences.T)
    return _mean_of_verdicts(differences, *nested_interval(values, resamples=resamples, seed=seed))


def difference_of_values(better: SeedMean, worse: SeedMean) -> SeedMean:
    """Return the mean of worse - better over runs, without an interval."""
    _check_pairs(better.runs, worse.runs)
    differences = np.array(worse.runs) - np.array(better.runs)
    return average_values(differences.tolist(), better.n if better.n == worse.n else None)


def _check_pairs(better: Sequence[object], worse: Sequence[object]) -> None:
    if 1 not in (len(better), len(worse)) and len(better) != len(worse):
        raise GapnetError(
            f"{len(better)} and {len(worse)} runs: cannot be paired; use the same number, or one"
        )


def _mean_of_verdicts(verdicts: Values, low: float, high: float) -> SeedMean:
    """Return the mean of verdicts (S, n)."""
    runs = tuple(verdicts.mean(1).tolist())
    return SeedMean(float(np.mean(runs)), low, high, verdicts.shape[1], runs)


def _verdicts(runs: Sequence[Path], metrics: Sequence[MetricChoice]) -> Values | None:
    """Return the verdicts (S, n) of runs, by one metric each, on the images that count in all.

    None if some run lacks its metric, or no image counts.
    """
    tables = [read_verdicts(path) for path in runs]
    names = [_column_name(table, metric) for table, metric in zip(tables, metrics, strict=True)]
    if not names or None in names:
        return None
    for table, path in zip(tables, runs, strict=True):
        if table.schema.metadata != tables[0].schema.metadata:
            raise GapnetError(f"{runs[0]} and {path}: are of different images, labels or boxes")
    pairs = zip(tables, runs, strict=True)
    same = [aligned(tables[0], table, runs[0], path) for table, path in pairs]
    values = np.stack([_column(table, name) for table, name in zip(same, names, strict=True)])
    counted = values[:, ~np.isnan(values).any(0)]
    return counted if counted.size else None


def _column_name(table: pa.Table, metric: MetricChoice) -> str | None:
    split = table.schema.metadata[b"split"].decode()
    return metric.column(table.column_names) if metric.split in (None, split) else None


def _column(table: pa.Table, name: str | None) -> Values:
    values: Values = table[name].to_numpy(zero_copy_only=False).astype(np.float64)
    return values
