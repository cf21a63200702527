"""Boxes of wsolevaluation (Choe et al., CVPR 2020), to reproduce results made with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from gapnet.localization.boxers.threshold import CUT, BoxSweep, Heat, ImageArray, check_cut
from gapnet.ops.contours import contour_boxes
from gapnet.system.value_checks import number, whole_number

SIDE = 224  # cells of a side of the grid
LEVELS = 255  # of 8-bit maps


@dataclass(frozen=True)
class ContourBoxer:
    """Boxes of the contours of a map that is scaled from its minimum to its maximum, in 8 bits.

    The grid is a square for every shape of image; maps are resized to it bicubically. The main box
    is that of the contour with the largest area.

    Args:
        cut: the share of the maximum, for guesses.
        interval: between the cuts of a sweep. Cuts on the same of the 255 levels have the same
            boxes; only the first of them is tried.
        side: of the grid, in cells.
    """

    cut: float = CUT
    interval: float = 0.001
    side: int = SIDE

    boxes_a_map: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_cut(self.cut)
        number("boxer.interval", self.interval, above=0, below=1)
        whole_number("boxer.side", self.side, least=1)

    def thresholds(self) -> list[float]:
        """Return the first cut per level, ascending."""
        grid = np.arange(0, 1, self.interval)
        _, first = np.unique((grid * LEVELS).astype(int), return_index=True)
        cuts: list[float] = grid[first].tolist()
        return cuts

    def grid(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the same square for every view."""
        del size
        return self.side, self.side

    def heat(self, maps: Tensor, grid: tuple[int, int]) -> Heat:
        """Return maps (K, h, w) resized to the grid, with minimum 0 and maximum 1 per map."""
        height, width = grid
        arrays = maps.float().cpu().numpy()
        resized = [
            cv2.resize(array, (width, height), interpolation=cv2.INTER_CUBIC) for array in arrays
        ]
        return np.stack([_from_minimum_to_maximum(np.asarray(array)) for array in resized])

    def boxes(self, heat: Heat, picture: ImageArray | None) -> NDArray[np.int16]:
        """Return the main box (1, 4) of one map at the boxer's cut."""
        del picture
        return self.sweep(heat, [self.cut]).boxes[:1]

    def sweep(self, heat: Heat, cuts: Sequence[float]) -> BoxSweep:
        """Return the boxes of all contours of one map at all cuts."""
        image = (heat * LEVELS).astype(np.uint8)
        highest = int(image.max())
        boxes = [contour_boxes(image, int(cut * highest)) for cut in cuts]
        indices = np.repeat(np.arange(len(cuts)), [len(cut_boxes) for cut_boxes in boxes])
        return BoxSweep(np.concatenate(boxes), indices.astype(np.int16))


def _from_minimum_to_maximum(heat: NDArray[np.float32]) -> Heat:
    """Return a map with minimum 0 and maximum 1; 0 if it is constant or contains NaN."""
    if np.isnan(heat).any() or heat.min() == heat.max():
        return np.zeros_like(heat)
    scaled = heat - heat.min()
    return np.asarray(scaled / scaled.max(), dtype=np.float32)
