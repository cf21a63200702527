"""The largest connected component of a mask, by labelling every pixel: the simple way."""

from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Size = Literal["pixels", "contour"]
Connectivity = Literal[4, 8]


class Box(NamedTuple):
    """An inclusive box, in cells."""

    x1: int
    y1: int
    x2: int
    y2: int


def largest_by_labels(mask: NDArray[np.uint8], *, connectivity: Connectivity, size: Size) -> Box:
    """Return the box of the largest component of a mask (H, W) that is not empty.

    `size` is what "largest" compares; the first component in reading order wins a tie.
    """
    count, label_image, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=connectivity)
    labels = np.asarray(label_image, dtype=np.int32)
    if size == "pixels":
        sizes = stats[:, cv2.CC_STAT_AREA].astype(np.float64)
        sizes[0] = 0  # label 0 is outside the region
    else:
        sizes = np.array([0.0, *(_contour_area(labels == label) for label in range(1, count))])
    x, y, width, height, _ = stats[_first_of_largest(labels, sizes)].tolist()
    return Box(x, y, x + width - 1, y + height - 1)


def _first_of_largest(labels: NDArray[np.int32], sizes: NDArray[np.float64]) -> int:
    tied = np.flatnonzero(sizes[1:] == sizes[1:].max()) + 1
    if len(tied) == 1:
        return int(tied[0])
    first = np.isin(labels, tied).argmax()  # OpenCV labels blocks of pixels, not in reading order
    return int(labels.flat[first])


def _contour_area(component: NDArray[np.bool_]) -> float:
    mask = component.astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return max(cv2.contourArea(contour) for contour in contours)
