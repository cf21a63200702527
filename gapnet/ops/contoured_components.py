"""The largest connected component of a mask, by the outlines of components: no pixel is labelled.

An outline's polygon and its bounding box bracket the number of pixels. Where that does not decide,
outlines are traced pixel by pixel, so that Pick's theorem gives the exact number from an outline's
area and its number of steps.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from gapnet.ops.labelled_components import Box, Size, largest_by_labels

MANY = 200  # outlines; OpenCV labels the pixels faster than Python reads more of them
NEXT, CHILD, PARENT = 0, 2, 3  # columns of OpenCV's hierarchy
NONE = -1  # in OpenCV's hierarchy

Outline = MatLike  # (n, 1, 2): pixels of a component next to the outside, or to a hole


def largest_by_contours(mask: NDArray[np.uint8], *, size: Size) -> Box | None:
    """Return the box of the largest 8-connected component of a mask (H, W); None if it is empty.

    The result is that of `largest_by_labels`.
    """
    outlines, _ = cv2.findContoursLinkRuns(mask)  # takes half the time of findContours
    if not outlines:
        return None
    if len(outlines) == 1:
        return _box(outlines[0])
    if size == "pixels" and len(outlines) > MANY:
        return largest_by_labels(mask, connectivity=8, size=size)
    if size == "pixels":
        box = _clearly_largest(outlines)
        if box is not None:
            return box
    return _measured_largest(mask, size=size)


def _clearly_largest(polygons: Sequence[Outline]) -> Box | None:
    """Return the box of the component that has the most pixels for certain; None if none has.

    A polygon joins the ends of the rows of a component, or of a hole, whose area is then negative;
    area 0 may be both. Edges along a row may cross a gap in the component, so that the number of
    pixels is the area plus 1, give or take half of the edges.
    """
    areas = [cv2.contourArea(polygon, oriented=True) for polygon in polygons]
    largest = areas.index(max(areas))
    fewest = areas[largest] + 1 - cv2.arcLength(polygons[largest], closed=True) / 2
    others = [index for index in range(len(polygons)) if index != largest]
    fewest -= sum(_box_pixels(polygons[index]) for index in others if areas[index] <= 0)
    for index in others:
        if areas[index] >= 0 and _most_pixels(polygons[index], areas[index]) >= fewest:
            return None
    return _box(polygons[largest])


def _most_pixels(polygon: Outline, area: float) -> float:
    return min(_box_pixels(polygon), area + 1 + cv2.arcLength(polygon, closed=True) / 2)


def _box_pixels(polygon: Outline) -> int:
    _, _, width, height = cv2.boundingRect(polygon)
    return width * height


def _measured_largest(mask: NDArray[np.uint8], *, size: Size) -> Box:
    """Return the box of the largest component, by exact sizes."""
    outlines, hierarchy = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    links = hierarchy[0].tolist()
    outer = [index for index, link in enumerate(links) if link[PARENT] == NONE]
    return _box(outlines[_largest(outlines, links, outer, size=size)])


def _largest(
    outlines: Sequence[Outline], links: Sequence[Sequence[int]], outer: Sequence[int], *, size: Size
) -> int:
    """Return the index of the outer outline of the largest component.

    The longest outlines come first: the box of a closed outline of n steps has at most n / 2 + 1
    pixels a side, so that the area of short ones need not be known.
    """
    largest = (1.0, (0, 0), NONE)  # minus the size, the first pixel, and the index of the outline
    for steps, index in sorted([(len(outlines[index]), index) for index in outer], reverse=True):
        if (steps / 2 + 1) ** 2 < -largest[0]:
            break
        if size == "pixels":
            area = _enclosed_pixels(outlines[index]) - _hole_pixels(outlines, links, index)
        else:
            area = cv2.contourArea(outlines[index])
        largest = min(largest, (-area, _first(outlines[index]), index))
    return largest[-1]


def _enclosed_pixels(outline: Outline) -> float:
    """Count the pixels on an outer outline and inside it, by Pick's theorem."""
    steps = len(outline) if len(outline) > 1 else 0
    return cv2.contourArea(outline) + steps / 2 + 1


def _hole_pixels(outlines: Sequence[Outline], links: Sequence[Sequence[int]], outer: int) -> float:
    """Count the pixels in the holes of a component; their outlines are pixels around them."""
    pixels, hole = 0.0, links[outer][CHILD]
    while hole != NONE:
        pixels += cv2.contourArea(outlines[hole]) - len(outlines[hole]) / 2 + 1
        hole = links[hole][NEXT]
    return pixels


def _first(outline: Outline) -> tuple[int, int]:
    """Return the pixel (y, x) that OpenCV starts to trace at: the first in reading order."""
    x, y = outline[0, 0].tolist()
    return y, x


def _box(outline: Outline) -> Box:
    x, y, width, height = cv2.boundingRect(outline)
    return Box(x, y, x + width - 1, y + height - 1)
