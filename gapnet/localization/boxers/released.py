"""Boxes of the program released with the paper, which differs from the paper's 20% rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from gapnet.localization.boxers.threshold import BoxerWithoutSweep, Heat, ImageArray, whole_map
from gapnet.system.value_checks import number, whole_number, wrong_value

WHITE = 255  # the maximum of a map in 8 bits
INNER = 10  # of 255: least distance from the region's edge, relative to the largest one


class Rectangle(NamedTuple):
    """A box in the program's form: its first pixel, width and height in pixels."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class ReleasedBoxer(BoxerWithoutSweep):
    """Boxes of the thick parts of regions above several thresholds; the largest box first.

    At every threshold the distance transform of the region is scaled to 8 bits, and pixels near the
    edge are removed. Every contour of the rest, also that of a hole, has a box. The largest box is
    the loose one. The tight one is the next in size that does not share more than half of the loose
    one; without such a box, the loose one is returned twice. Far corners are one pixel beyond the
    box, as in the files that the program's authors passed to the devkit.

    Args:
        levels: the thresholds, of 255.
        margin: pixels at the right and at the lower border that boxes do not cover.
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

    def boxes(self, heat: Heat, picture: ImageArray | None) -> NDArray[np.int16]:
        """Return the loose and the tight box (2, 4) of one map."""
        del picture
        image = np.rint(heat * WHITE).astype(np.uint8)
        boxes = [box for level in self.levels for box in self._rectangles(image > level)]
        if not boxes:
            return whole_map(heat, self.boxes_a_map)
        pair = _loose_and_tight(sorted(boxes, key=_largest_first))
        return np.array([(x, y, x + width, y + height) for x, y, width, height in pair], np.int16)

    def _rectangles(self, region: NDArray[np.bool_]) -> list[Rectangle]:
        """Return the boxes of the thick parts of a region, without the margin."""
        contours, _ = cv2.findContours(_thick(region), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
        far_y, far_x = (max(side - self.margin, 1) for side in region.shape)
        boxes = (cv2.boundingRect(contour) for contour in contours)
        return [
            Rectangle(x, y, min(width, far_x - x), min(height, far_y - y))
            for x, y, width, height in boxes
            if x < far_x and y < far_y
        ]


def _thick(region: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the pixels far from the region's edge; all of them if the region fills the map."""
    mask = region.astype(np.uint8)
    if mask.all() or not mask.any():
        return mask
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    scaled = np.floor(depth * (WHITE / depth.max()) + 0.5)
    return np.asarray(scaled > INNER).astype(np.uint8)


def _largest_first(box: Rectangle) -> tuple[int, ...]:
    """Return the sort key: area, then reading order."""
    return -box.width * box.height, box.y, box.x, box.height, box.width


def _loose_and_tight(ranked: list[Rectangle]) -> tuple[Rectangle, Rectangle]:
    """Return the largest box, and the next that does not share more than half of it.

    As in the program, only one box can be dropped: the one after a dropped box is not checked.
    """
    loose, *others = ranked
    dropped = bool(others) and 2 * _shared(loose, others[0]) > loose.width * loose.height
    rest = others[dropped:]
    return loose, rest[0] if rest else loose


def _shared(a: Rectangle, b: Rectangle) -> int:
    """Return the number of pixels that two boxes have in common."""
    across = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    down = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    return max(across, 0) * max(down, 0)
