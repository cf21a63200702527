"""From a map to the box of its largest connected component, for many thresholds in one pass."""

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
    """Box the largest connected component of the region above each threshold.

    Args:
        heat: the map, (H, W), finite.
        thresholds: ascending, (T,); a cell belongs to the region if it is strictly above.
        connectivity: 8 lets cells touch at corners, 4 does not.
        size: what "largest" compares: the pixels of a component, or the area inside its outer contour (holes and all).
            The first in reading order wins a tie.

    Returns:
        Inclusive boxes (T, 4); an empty region has the box of the whole map.
    """
    height, width = heat.shape
    levels = (
        np.searchsorted(thresholds, heat.ravel(), side="left").reshape(heat.shape).astype(np.uint16)
    )
    boxes = np.tile(np.array([0, 0, width - 1, height - 1], dtype=np.float32), (len(thresholds), 1))
    previous, top = -1, int(levels.max())
    for level in range(top):
        mask = (levels > level).astype(np.uint8)
        count = int(
            mask.sum()
        )  # the regions are nested: as many cells as before are the same cells
        boxes[level] = boxes[level - 1] if count == previous else _largest(mask, connectivity, size)
        previous = count
    return boxes


def _largest(mask: NDArray[np.uint8], connectivity: int, size: Size) -> tuple[int, int, int, int]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=connectivity)
    if size == "pixels":
        sizes = stats[1:, cv2.CC_STAT_AREA]
    else:
        sizes = np.array([_contour_area(labels == label) for label in range(1, count)])
    x, y, width, height = (int(stats[1 + int(sizes.argmax()), column]) for column in range(4))
    return x, y, x + width - 1, y + height - 1


def _contour_area(component: NDArray[np.bool_]) -> float:
    contours, _ = cv2.findContours(
        component.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    return max(cv2.contourArea(contour) for contour in contours)
