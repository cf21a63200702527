"""Means over queries, as metrics with 95% intervals."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from gapnet.evaluation.bootstrap import intervals
from gapnet.evaluation.score import Metric

RESAMPLES = 1000


@dataclass(frozen=True)
class Described:
    """What metrics are of: title of the data set, split of the queries, rules of the search."""

    data: str
    split: str
    rules: str


def query_means(
    values: Mapping[str, NDArray[np.float64]], protocol: str, about: Described, *, seed: int = 0
) -> list[Metric]:
    """Return the means of values of queries (Q,), by the name of the metric, without NaN."""
    return [
        _mean(name, scores[~np.isnan(scores)], protocol, about, seed=seed)
        for name, scores in values.items()
    ]


def _mean(
    name: str, scores: NDArray[np.float64], protocol: str, about: Described, *, seed: int
) -> Metric:
    low, high = intervals(torch.from_numpy(scores)[:, None], resamples=RESAMPLES, seed=seed)
    return Metric(
        metric=name,
        value=float(scores.mean()),
        n=len(scores),
        low=low.item(),
        high=high.item(),
        threshold=None,
        chosen_on=None,
        protocol=protocol,
        data=about.data,
        split=about.split,
        rules=about.rules,
    )
