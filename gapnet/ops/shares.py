"""Thresholds that are shares of a map's maximum, without a division of the whole map."""

import numpy as np
from numpy.typing import NDArray


def thresholds_of_shares(highest: np.float32, shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return t (T,) such that v > t exactly if v / highest > share, in single precision.

    A quotient is rounded to more than the share if it is above the middle between the share and the
    next number, or there if the share is odd. In double precision the products are exact.

    Args:
        highest: of the map, above 0 and finite.
        shares: from 0 up to 1, (T,).

    >>> thresholds_of_shares(np.float32(10), np.float32([0.5])).tolist()
    [5.0]
    """
    following = np.nextafter(shares, np.float32(np.inf))
    limits = (shares.astype(np.float64) + following) / 2 * np.float64(highest)
    with np.errstate(over="ignore"):
        thresholds = limits.astype(np.float32)
    odd = (shares.view(np.uint32) & 1).astype(np.bool_)
    too_high = (thresholds > limits) | ((thresholds == limits) & odd)
    return np.where(too_high, np.nextafter(thresholds, np.float32(-np.inf)), thresholds)
