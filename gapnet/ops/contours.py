"""Boxes of the contours of a map, computed as in wsolevaluation (Choe et al., CVPR 2020)."""

import cv2
import numpy as np
from numpy.typing import NDArray


def contour_boxes(heat: NDArray[np.uint8], level: int) -> NDArray[np.int16]:
    """Return the boxes of all contours of the region above `level`, the largest contour first.

    Contours of holes count. The far corner is one cell beyond the contour, but not beyond the map.
    Without a contour there is one box, of the first cell.

    Args:
        heat: the map in 8 bits, (H, W).
        level: a cell belongs to the region if it is strictly above.

    Returns:
        Boxes (n, 4), in cells.

    >>> contour_boxes(np.pad(np.full((2, 3), 9, np.uint8), 4), 8).tolist()
    [[4, 4, 7, 6]]
    """
    mask = (heat > level).astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return np.zeros((1, 4), np.int16)
    areas = [cv2.contourArea(contour) for contour in contours]
    rectangles = np.array([cv2.boundingRect(contour) for contour in contours])
    height, width = heat.shape
    far = np.minimum(rectangles[:, :2] + rectangles[:, 2:], [width - 1, height - 1])
    boxes = np.concatenate([rectangles[:, :2], far], 1).astype(np.int16)
    first = int(np.argmax(areas))
    return np.concatenate([boxes[first : first + 1], np.delete(boxes, first, 0)])
