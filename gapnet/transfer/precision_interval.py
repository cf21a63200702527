"""Bootstrap intervals of average precisions, by resampling images."""

import numpy as np
import torch
from numpy.typing import NDArray

from gapnet.evaluation.bootstrap import bounds, draw_counts
from gapnet.metrics.average_precision import ranking

Array = NDArray[np.float64]


def precision_intervals(
    scores: Array, positive: NDArray[np.bool_], *, resamples: int, seed: int
) -> list[tuple[float, float]]:
    """Return intervals of the average precision of scores (N, F), and of last minus first, F + 1.

    Positives and negatives are drawn apart, so that every resample has some. All F use the same
    draws, so that their differences can be compared.
    """
    counts = _counts(positive, resamples=resamples, seed=seed)
    values = [weighted_precisions(column, positive, counts) for column in scores.T]
    statistics = torch.from_numpy(np.stack([*values, values[-1] - values[0]], 1))
    low, high = bounds(statistics)
    return list(zip(low.tolist(), high.tolist(), strict=True))


def weighted_precisions(scores: Array, positive: NDArray[np.bool_], counts: Array) -> Array:
    """Return the average precisions (R,) of resamples, which have image n counts[:, n] times."""
    order, ends = ranking(scores)
    drawn, right = counts[:, order], counts[:, order] * positive[order]
    shown, hits = drawn.cumsum(1)[:, ends], right.cumsum(1)[:, ends]
    gained = np.diff(hits, prepend=0, axis=1)
    precisions: Array = (gained * hits / np.maximum(shown, 1)).sum(1) / hits[:, -1]
    return precisions


def _counts(positive: NDArray[np.bool_], *, resamples: int, seed: int) -> Array:
    """Return how often every image is drawn, (R, N)."""
    counts = np.zeros((resamples, len(positive)))
    for kind, rows in enumerate((positive, ~positive)):
        drawn = draw_counts(int(rows.sum()), resamples=resamples, seed=2 * seed + kind)
        counts[:, rows] = np.concatenate(list(drawn))
    return counts
