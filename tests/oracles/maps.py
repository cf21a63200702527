"""Class activation maps, their enlargement and their scale, one cell at a time."""

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def class_map(features: npt.ArrayLike, weights: npt.ArrayLike) -> Array:
    """Sum the feature planes by the class's weights: M(x, y) = sum_k w_k f_k(x, y).

    Args:
        features: (C, h, w), the f_k.
        weights: (C,), the w_k of one class.

    Returns:
        (h, w), the map M.
    """
    planes, scales = np.asarray(features, np.float64), np.asarray(weights, np.float64)
    height, width = planes.shape[1:]
    total = np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            for plane, weight in zip(planes, scales, strict=True):
                total[y, x] += weight * plane[y, x]
    return total


def upsample(cam: npt.ArrayLike, size: tuple[int, int]) -> Array:
    """Interpolate bilinearly with half-pixel centres, the border values held beyond the centres.

    The centre i + 0.5 of an output pixel lies at (i + 0.5) * h / H - 0.5 among the input's cells.

    Args:
        cam: (h, w).
        size: (H, W) of the result.

    Returns:
        (H, W).
    """
    cells = np.asarray(cam, np.float64)
    height, width = cells.shape
    enlarged = np.zeros(size)
    for row in range(size[0]):
        top, bottom, down = _between(row, length=height, new_length=size[0])
        for column in range(size[1]):
            left, right, across = _between(column, length=width, new_length=size[1])
            above = (1 - across) * cells[top, left] + across * cells[top, right]
            below = (1 - across) * cells[bottom, left] + across * cells[bottom, right]
            enlarged[row, column] = (1 - down) * above + down * below
    return enlarged


def _between(index: int, *, length: int, new_length: int) -> tuple[int, int, float]:
    """Find the two input cells that an output pixel lies between, and the second one's share."""
    position = (index + 0.5) * length / new_length - 0.5
    position = min(max(position, 0.0), length - 1.0)
    first = math.floor(position)
    return first, min(first + 1, length - 1), position - first


def normalise(cam: npt.ArrayLike) -> Array:
    """Divide by the maximum and put negative values to 0; without a positive value, all zeros.

    Args:
        cam: (h, w).

    Returns:
        (h, w), in [0, 1].
    """
    cells = np.asarray(cam, np.float64)
    scaled = np.zeros(cells.shape)
    highest = cells.max()
    for place, value in np.ndenumerate(cells):
        if value > 0:
            scaled[place] = value / highest
    return scaled
