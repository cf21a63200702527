"""Average precision of decision values, for one class and over classes."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def average_precision(scores: Array, positive: NDArray[np.bool_]) -> float:
    """Return the area under the precision-recall curve of scores (N,), without interpolation.

    >>> average_precision(np.array([0.9, 0.8, 0.7]), np.array([True, False, True]))
    0.8333333333333333
    """
    order, ends = ranking(scores)
    right, shown = np.cumsum(positive[order])[ends], np.arange(1, len(scores) + 1)[ends]
    gained = np.diff(right, prepend=0)
    return float((gained * right / shown).sum() / positive.sum())


def ranking(scores: Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return rows by score (N,), the highest first, and which of them end a group of equal scores.

    Equal scores are one threshold.
    """
    order = np.argsort(-scores, kind="stable")
    return order, np.append(np.diff(scores[order]) != 0, True)


def average_precisions(decisions: Array, targets: NDArray[np.bool_]) -> Array:
    """Return the average precision of every class that an image has."""
    present = np.nonzero(targets.any(0))[0]
    return np.array([average_precision(decisions[:, k], targets[:, k]) for k in present])


def mean_average_precision(decisions: Array, targets: NDArray[np.bool_]) -> float:
    """Return the mean over classes of the average precision."""
    return float(average_precisions(decisions, targets).mean())
