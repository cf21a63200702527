"""Box of the largest connected component of a map, at many thresholds in one pass."""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Size = Literal["pixels", "contour"]


def largest_component_boxes(
    heat: NDArray[np.float32],
    thresholds: NDArray[np.float32],
    *,
    connectivity: Literal[4, 8] = 8,
    size: Size = "pixels",
) -> NDArray[np.float32]:
    """Return the box of the largest connected component of the region above every threshold.

    Args:
        heat: the map, (H, W), finite.
        thresholds: ascending, (T,); a cell belongs to the region if it is strictly above.
        connectivity: 8 lets cells touch at corners, 4 does not.
        size: what "largest" compares: the pixels of a component, or the area inside its outer
            contour, with its holes. The first in reading order wins a tie.

    Returns:
        Inclusive boxes (T, 4); an empty region has the box of the whole map.
    """
    height, width = heat.shape
    levels = np.searchsorted(thresholds, heat.ravel()).reshape(heat.shape).astype(np.uint16)
    rows, columns = levels.max(1), levels.max(0)
    boxes = np.tile(np.array([0, 0, width - 1, height - 1], dtype=np.float32), (len(thresholds), 1))
    for level in range(int(levels.max())):
        (top, bottom), (left, right) = _extent(rows > level), _extent(columns > level)
        mask = (levels[top : bottom + 1, left : right + 1] > level).astype(np.uint8)
        x1, y1, x2, y2 = _largest(mask, connectivity, size)
        boxes[level] = left + x1, top + y1, left + x2, top + y2
    return boxes


def _extent(occupied: NDArray[np.bool_]) -> tuple[int, int]:
    indices = np.flatnonzero(occupied)
    return int(indices[0]), int(indices[-1])


def _largest(mask: NDArray[np.uint8], connectivity: int, size: Size) -> tuple[int, int, int, int]:
    count, label_image, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=connectivity)
    labels = np.asarray(label_image, dtype=np.int32)
    if size == "pixels":
        sizes = stats[:, cv2.CC_STAT_AREA].astype(np.float64)
        sizes[0] = 0  # label 0 is outside the region
    else:
        sizes = np.array([0.0, *(_contour_area(labels == label) for label in range(1, count))])
    x, y, width, height, _ = stats[_first_of_largest(labels, sizes)].tolist()
    return x, y, x + width - 1, y + height - 1


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
