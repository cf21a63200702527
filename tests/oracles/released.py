"""Boxes after the program released with the CAM paper: distances, contours, pooled rectangles.

Boxes are x1, y1, x2, y2, all inclusive.
"""

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt

Array = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
IntBox = tuple[int, int, int, int]
Distances = Callable[[Mask], npt.ArrayLike]

THRESHOLDS = (20, 100, 110)  # of 255
CORE = 10  # of 255, of the scaled distances
MARGIN = 5


def exact_distances(mask: Mask) -> Array:
    """Measure from each foreground pixel to the nearest background pixel; the frame is not one."""
    return np.asarray(distance_transform_edt(mask), np.float64)


def opencv_distances(mask: Mask) -> npt.ArrayLike:
    """Measure the same with OpenCV, in 32 bits."""
    return cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def eight_bits(values: npt.ArrayLike) -> Bytes:
    """Scale the maximum to 255, cut negative values off and round, halves to the even number.

    Without a positive value all are 0.
    """
    scaled = np.maximum(np.asarray(values, np.float64), 0.0)
    highest = scaled.max()
    if highest > 0:
        scaled = scaled / highest
    rounded: Bytes = np.rint(scaled * 255).astype(np.uint8)
    return rounded


def core(mask: Mask, distances: Distances = exact_distances) -> Mask:
    """Keep the pixels whose 8-bit distance from the background is above 10; a full mask stays."""
    if mask.all():
        return mask
    core_mask: Mask = eight_bits(distances(mask)) > CORE
    return core_mask


def rectangles(mask: Mask) -> list[IntBox]:
    """Bound every contour, the outer ones (8-connected) and those of holes, in no particular order.

    A hole's contour runs through the pixels around it: one more on each side than the hole.
    """
    contours = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[-2]
    return [(x, y, x + w - 1, y + h - 1) for x, y, w, h in map(cv2.boundingRect, contours)]


def clipped(box: IntBox, shape: tuple[int, int]) -> IntBox | None:
    """Cut a box to the columns up to W - 6 and rows up to H - 6, or None where nothing is left.

    An image that has no such column or row counts as one pixel wide or high.
    """
    height, width = shape
    x2, y2 = min(box[2], max(width - MARGIN, 1) - 1), min(box[3], max(height - MARGIN, 1) - 1)
    return (box[0], box[1], x2, y2) if box[0] <= x2 and box[1] <= y2 else None


def area(box: IntBox) -> int:
    """Count the pixels of a box; one that is inside out has none."""
    return max(box[2] - box[0] + 1, 0) * max(box[3] - box[1] + 1, 0)


def common_area(a: IntBox, b: IntBox) -> int:
    """Count the pixels that two boxes share."""
    return area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))


def thinned(boxes: list[IntBox]) -> list[IntBox]:
    """Sort by area, the largest first, and drop what shares too much with one before it.

    Too much is over half the area of the larger of the two. Boxes of one area come by y1, then
    x1, y2, x2. The program counts on after it has dropped a box, which has moved the next one into
    the place just looked at: that one is not compared with the same larger box.
    """
    remaining = sorted(boxes, key=lambda box: (-area(box), box[1], box[0], box[3], box[2]))
    larger = 0
    while larger < len(remaining):
        place = larger + 1
        while place < len(remaining):
            most = max(area(remaining[larger]), area(remaining[place]))
            if common_area(remaining[larger], remaining[place]) > int(most * 0.5):
                remaining.pop(place)
            place += 1
        larger += 1
    return remaining


def released_boxes(cam: npt.ArrayLike, distances: Distances = exact_distances) -> list[IntBox]:
    """List every box the program keeps for a map (H, W) over the image, at least one.

    That is the whole image, with its margin, for a map without a positive value.
    """
    grey = eight_bits(cam)
    height, width = grey.shape
    pooled = []
    for threshold in THRESHOLDS if grey.any() else ():
        bounds = rectangles(core(grey > threshold, distances))
        pooled += [box for box in (clipped(one, (height, width)) for one in bounds) if box]
    return thinned(pooled) or [(0, 0, width - 1, height - 1)]


def released_pair(cam: npt.ArrayLike, distances: Distances = exact_distances) -> list[IntBox]:
    """Pick the loose box, the first, and the tight one, the second; a lone box is both.

    The program writes widths and heights, to which the corners are added: one pixel too far.
    """
    boxes = released_boxes(cam, distances)
    if not np.asarray(cam).max() > 0:
        return [boxes[0]] * 2
    pair = [boxes[0], boxes[min(1, len(boxes) - 1)]]
    return [(x1, y1, x2 + 1, y2 + 1) for x1, y1, x2, y2 in pair]
