"""Whether neighbours have the class of their query."""

import numpy as np
import torch
from numpy.typing import NDArray

from gapnet.evaluation.bootstrap import intervals
from gapnet.evaluation.score import Metric
from gapnet.transfer.feature_rows import Features

NEAREST_ACCURACY, PRECISION = "nearest_neighbour_accuracy", "mean_precision_at_{}"
PROTOCOL = "neighbours"
RESAMPLES = 1000


def same_classes(
    queries: Features, rows: NDArray[np.int64], base: Features, neighbours: NDArray[np.int64]
) -> NDArray[np.bool_] | None:
    """Return whether neighbours (Q, k) share a class with the queries `rows` (Q,).

    None if the classes are not known, or are those of another data set.
    """
    if queries.about.classes != base.about.classes:
        return None
    asked, searched = queries.targets()[rows], base.targets()
    if not (asked.any(1).all() and searched.any(1).all()):
        return None
    columns = [(asked & searched[column]).any(1) for column in neighbours.T]
    return np.stack(columns, axis=1)


def metrics_of(
    same: NDArray[np.bool_], missed: int, *, data: str, split: str, rules: str, seed: int = 0
) -> list[Metric]:
    """Return how many neighbours (Q, k) have the class of their query, with 95% intervals.

    Args:
        same: whether each neighbour has the class of its query.
        missed: number of queries that could not be read, which count as wrong.
        data: title of the data set.
        split: of the queries.
        rules: of the search.
        seed: of the intervals.
    """
    shares = {NEAREST_ACCURACY: same[:, 0], PRECISION.format(same.shape[1]): same.mean(1)}
    return [
        _metric(name, np.append(values, np.zeros(missed)), data, split, rules, seed)
        for name, values in shares.items()
    ]


def _metric(
    name: str, values: NDArray[np.float64], data: str, split: str, rules: str, seed: int
) -> Metric:
    low, high = intervals(torch.from_numpy(values)[:, None], resamples=RESAMPLES, seed=seed)
    return Metric(
        metric=name,
        value=float(values.mean()),
        n=len(values),
        low=low.item(),
        high=high.item(),
        threshold=None,
        chosen_on=None,
        protocol=PROTOCOL,
        data=data,
        split=split,
        rules=rules,
    )
