"""The metrics that a table shows, read from what its commands wrote."""

from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from gapnet.errors import GapnetError
from gapnet.evaluation.seeds import (
    SeedMean,
    average,
    average_values,
    difference,
    difference_of_values,
)
from gapnet.runs.layout import METRICS, VERDICTS
from gapnet.runs.metric_choice import MetricChoice
from gapnet.system.files import read_json


def metric_choice(node: str | DictConfig) -> MetricChoice:
    """Read which metric is meant: its name, or {metric, protocol, chosen_on, split}."""
    if isinstance(node, str):
        return MetricChoice(node)
    try:
        return MetricChoice(**{str(key): value for key, value in node.items()})
    except TypeError:
        raise GapnetError(
            f"{node}: must be the name of a metric, or {{metric, protocol, chosen_on, split}}"
        ) from None


def metrics_of(cfg: DictConfig, column: str) -> dict[str, MetricChoice]:
    """Return the metrics of a column of a table by their labels."""
    metrics = cfg.table.columns[column].get("metrics", cfg.table.get("metrics", {}))
    return {str(label): metric_choice(node) for label, node in metrics.items()}


def mean_over_seeds(
    folders: Sequence[Path], metric: MetricChoice, *, resamples: int, seed: int
) -> SeedMean | None:
    """Average a metric over runs; None if one of them lacks it.

    If the runs have verdicts on single images, the mean has an interval.
    """
    files = [folder / VERDICTS for folder in folders]
    if all(file.is_file() for file in files):
        mean = average(files, metric, resamples=resamples, seed=seed)
        if mean is not None:
            return mean
    return _mean_of_values(folders, metric)


def lead_over_seeds(
    better: Sequence[Path],
    worse: Sequence[Path],
    metric: MetricChoice,
    *,
    worse_metric: MetricChoice | None = None,
    resamples: int,
    seed: int,
) -> SeedMean | None:
    """Average by how much a metric of the second runs exceeds that of the first.

    If all runs have verdicts on single images, the lead has an interval. None if one of them lacks
    its metric; without `worse_metric` both have the same.
    """
    first, second = ([folder / VERDICTS for folder in folders] for folders in (better, worse))
    if all(file.is_file() for file in (*first, *second)):
        lead = difference(
            first, second, metric, worse_metric=worse_metric, resamples=resamples, seed=seed
        )
        if lead is not None:
            return lead
    lower, higher = _mean_of_values(better, metric), _mean_of_values(worse, worse_metric or metric)
    return difference_of_values(lower, higher) if lower and higher else None


def _mean_of_values(folders: Sequence[Path], metric: MetricChoice) -> SeedMean | None:
    """Average a metric over files of metrics; None if one of them lacks it."""
    rows = [metric.row(read_json(folder / METRICS)) for folder in folders]
    counts = {row.get("n") for row in rows if row is not None}
    n = counts.pop() if len(counts) == 1 else None
    values = [row["value"] for row in rows if row is not None]
    if not values or len(values) < len(rows):
        return None
    return average_values([float(str(value)) for value in values], n if type(n) is int else None)
