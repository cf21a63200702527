"""Average precision and precision of rankings, by the rules of Oxford, Paris and Holidays."""

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]


def places_of(positive: NDArray[np.bool_], ignored: NDArray[np.bool_]) -> Places:
    """Return the ranks of positive images from 0, in a ranking without the ignored ones.

    Args:
        positive: whether the image at each rank is one, (N,).
        ignored: whether it does not count, (N,).

    >>> places_of(np.array([True, False, False, True]), np.array([False, True, False, False]))
    array([0, 2])
    """
    return np.nonzero(positive[~ignored])[0]


def average_precision(places: Places, count: int) -> float:
    """Return the area under the precision-recall curve by the trapezoidal rule.

    Args:
        places: ranks of the positive images, from 0, ascending; those that were not ranked lack.
        count: number of positive images.

    >>> average_precision(np.array([0, 2]), 2)
    0.7916666666666666
    """
    before = np.arange(len(places))
    ranks = places.astype(np.float64)
    earlier = np.where(ranks > 0, before / np.maximum(ranks, 1), 1.0)
    return float(((earlier + (before + 1) / (ranks + 1)) / 2).sum() / count)


def precision_at(places: Places, rank: int) -> float:
    """Return the share of positive images among the first `rank` images, as the revisited rules do.

    If the last positive image comes earlier, the images up to it count.
    """
    if not len(places):
        return 0.0
    last = min(int(places[-1]) + 1, rank)
    return float((places < last).sum() / last)
