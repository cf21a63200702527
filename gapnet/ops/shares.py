"""Thresholds that are shares of a map's maximum, without a division of the whole map."""

import numpy as np
from numpy.typing import NDArray


def thresholds_of_shares(highest: np.float32, shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return t (T,) such that v > t exactly if v / highest > share, in single precision.

    Args:
        highest: of the map, above 0 and finite.
        shares: from 0 up to 1, (T,).

    >>> thresholds_of_shares(np.float32(10), np.float32([0.25, 0.5])).tolist()
    [2.5, 5.0]
    """
    thresholds = shares * highest
    while (high := thresholds / highest > shares).any():
        thresholds = np.where(high, np.nextafter(thresholds, np.float32(-np.inf)), thresholds)
    while (low := (above := _next(thresholds)) / highest <= shares).any():
        thresholds = np.where(low, above, thresholds)
    return thresholds


def _next(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.nextafter(values, np.float32(np.inf))
