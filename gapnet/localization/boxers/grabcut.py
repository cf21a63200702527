"""Boxes from colours that belong together, seeded by a map (Simonyan et al., 2014)."""

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from gapnet.errors import GapnetError
from gapnet.localization.boxers.threshold import Heat, Picture, Unswept, whole_map
from gapnet.ops.components import largest_component_boxes
from gapnet.system.value_checks import number, whole_number

SIDE = 224  # cells of its square frame
MODEL = 65  # numbers that OpenCV keeps of the colours of each side
NO_RECTANGLE = (0, 0, 1, 1)


@dataclass(frozen=True)
class GrabCutBoxer(Unswept):
    """Segment the picture, and box the largest component of the object.

    The warmest pixels are seeds of the object, the coldest ones of what is behind it; OpenCV's
    GrabCut decides about the rest by colour. The grid is a square, whatever the image's shape, of
    about as many cells as the network sees pixels.

    Args:
        warm: quantile of a map above which pixels surely belong to the object.
        cold: quantile up to which they surely do not.
        iterations: of GrabCut.
        side: of the grid.
    """

    warm: float = 0.95
    cold: float = 0.30
    iterations: int = 5
    side: int = SIDE

    boxes_a_map: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Check the ranges."""
        number("boxer.warm", self.warm, above=0, below=1)
        number("boxer.cold", self.cold, least=0, below=self.warm)
        whole_number("boxer.iterations", self.iterations, least=1)
        whole_number("boxer.side", self.side, least=1)

    def grid(self, size: tuple[int, int]) -> tuple[int, int]:
        """Give every view the same square."""
        del size
        return self.side, self.side

    def boxes(self, heat: Heat, picture: Picture | None) -> NDArray[np.int16]:
        """Give the box (1, 4) of one map over a picture (H, W, 3)."""
        if picture is None:
            raise GapnetError("boxer=grabcut: needs the images; maps alone are boxed by another")
        height, width = heat.shape
        seeded = seeds(heat, warm=self.warm, cold=self.cold)
        if not (seeded == cv2.GC_FGD).any():
            return whole_map(heat, self.boxes_a_map)
        colours = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
        cv2.setRNGSeed(0)  # it starts its clusters at random
        behind, of_object = np.zeros((1, MODEL)), np.zeros((1, MODEL))
        mask, _, _ = cv2.grabCut(
            colours,
            seeded,
            NO_RECTANGLE,
            behind,
            of_object,
            self.iterations,
            cv2.GC_INIT_WITH_MASK,
        )
        found = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
        return largest_component_boxes(found, np.array([0.5], np.float32)).astype(np.int16)


def seeds(heat: Heat, *, warm: float, cold: float) -> NDArray[np.uint8]:
    """Mark what surely belongs to the object, or surely not, in OpenCV's terms, (H, W)."""
    low, high = np.quantile(heat, (cold, warm))
    marked = np.full(heat.shape, cv2.GC_PR_BGD, np.uint8)
    marked[heat <= low] = cv2.GC_BGD  # a class map is 0 at many places
    marked[heat > high] = cv2.GC_FGD
    return marked
