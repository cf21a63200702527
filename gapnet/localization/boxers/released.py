"""The box program that was released with the paper, which is not its 20% rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from gapnet.localization.boxers.threshold import Heat, Picture, Unswept, whole_map
from gapnet.system.value_checks import number, whole_number, wrong_value

WHITE = 255  # the maximum of a map, in its 8 bits
INNER = 10  # of 255: how far inside a region, at least, as a share of its deepest place


class Rectangle(NamedTuple):
    """Hold a box as the program does: its first pixel, and how many there are each way."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class ReleasedBoxer(Unswept):
    """Box regions above three thresholds at once, where they are thick; the largest comes first.

    At each threshold the region's distance transform, scaled to 8 bits, is cut near its edge, and
    all contours of what is left, holes' too, are boxed. The largest is the loose box. The tight one
    comes next, but for a box that shares more than half of the loose one; if there is none, the
    loose box is both. Far corners are one pixel beyond, as the program's were handed to the devkit.

    Args:
        levels: the thresholds, of 255.
        margin: pixels at the right and at the lower border that no box reaches into.
    """

    levels: Sequence[int] = (20, 100, 110)
    margin: int = 5

    boxes_a_map: ClassVar[int] = 2

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not self.levels:
            raise wrong_value("boxer.levels", self.levels, "must be at least one level")
        for level in self.levels:
            number("boxer.levels", level, least=0, below=WHITE)
        whole_number("boxer.margin", self.margin)

    def boxes(self, heat: Heat, picture: Picture | None) -> NDArray[np.int16]:
        """Give the loose and the tight box (2, 4) of one map."""
        del picture
        image = np.rint(heat * WHITE).astype(np.uint8)
        found = [each for level in self.levels for each in self._rectangles(image > level)]
        if not found:
            return whole_map(heat, self.boxes_a_map)
        pair = _loose_and_tight(sorted(found, key=_largest_first))
        return np.array([(x, y, x + width, y + height) for x, y, width, height in pair], np.int16)

    def _rectangles(self, region: NDArray[np.bool_]) -> list[Rectangle]:
        """Box the thick parts of a region, up to the margin."""
        contours, _ = cv2.findContours(_thick(region), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
        far_y, far_x = (max(side - self.margin, 1) for side in region.shape)
        found = (cv2.boundingRect(each) for each in contours)
        return [
            Rectangle(x, y, min(width, far_x - x), min(height, far_y - y))
            for x, y, width, height in found
            if x < far_x and y < far_y
        ]


def _thick(region: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Keep what lies deep inside a region; a region without an outside is kept whole."""
    mask = region.astype(np.uint8)
    if mask.all() or not mask.any():
        return mask
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    scaled = np.floor(depth * (WHITE / depth.max()) + 0.5)
    return np.asarray(scaled > INNER).astype(np.uint8)


def _largest_first(box: Rectangle) -> tuple[int, ...]:
    """Order by area, those of the same area in reading order."""
    return -box.width * box.height, box.y, box.x, box.height, box.width


def _loose_and_tight(ranked: list[Rectangle]) -> tuple[Rectangle, Rectangle]:
    """Choose the largest box, and the next that does not share more than half of it.

    As in the program, the box that follows one that was dropped is not looked at again, so that of
    those behind the largest either the first or the second stays.
    """
    loose, *others = ranked
    dropped = bool(others) and 2 * _shared(loose, others[0]) > loose.width * loose.height
    left = others[dropped:]
    return loose, left[0] if left else loose


def _shared(a: Rectangle, b: Rectangle) -> int:
    """Count the pixels that two boxes have in common."""
    across = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    down = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    return max(across, 0) * max(down, 0)
