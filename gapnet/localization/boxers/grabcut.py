"""Boxes from GrabCut, a segmentation by colour, seeded by a map (Simonyan et al., 2014)."""

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from gapnet.errors import GapnetError
from gapnet.localization.boxers.threshold import BoxerWithoutSweep, Heat, ImageArray, whole_map
from gapnet.ops.components import largest_component_boxes
from gapnet.system.value_checks import number, whole_number

SIDE = 224  # cells of a side of the grid
MODEL = 65  # numbers in OpenCV's colour model of the object, and of the background
NO_RECTANGLE = (0, 0, 1, 1)


@dataclass(frozen=True)
class GrabCutBoxer(BoxerWithoutSweep):
    """Box of the largest component of the object, which GrabCut segments.

    The pixels with the highest values are seeds of the object, those with the lowest are seeds of
    the background; OpenCV's GrabCut decides the others by colour. The grid is a square for every
    shape of image.

    Args:
        warm: quantile of a map above which pixels are seeds of the object.
        cold: quantile up to which they are seeds of the background.
        iterations: of GrabCut.
        side: of the grid, in cells.
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
        """Return the same square for every view."""
        del size
        return self.side, self.side

    def boxes(self, heat: Heat, picture: ImageArray | None) -> NDArray[np.int16]:
        """Return the box (1, 4) of one map with its picture (H, W, 3)."""
        if picture is None:
            raise GapnetError(
                "boxer=grabcut: needs the images; choose another boxer for maps alone"
            )
        height, width = heat.shape
        seeded = seeds(heat, warm=self.warm, cold=self.cold)
        if not (seeded == cv2.GC_FGD).any():
            return whole_map(heat, self.boxes_a_map)
        colours = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
        cv2.setRNGSeed(0)  # its clusters start at random
        background, foreground = np.zeros((1, MODEL)), np.zeros((1, MODEL))
        mask, _, _ = cv2.grabCut(
            colours,
            seeded,
            NO_RECTANGLE,
            background,
            foreground,
            self.iterations,
            cv2.GC_INIT_WITH_MASK,
        )
        segment = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
        return largest_component_boxes(segment, np.array([0.5], np.float32)).astype(np.int16)


def seeds(heat: Heat, *, warm: float, cold: float) -> NDArray[np.uint8]:
    """Return OpenCV's labels of the seeds of object and background, (H, W)."""
    low, high = np.quantile(heat, (cold, warm))
    labels = np.full(heat.shape, cv2.GC_PR_BGD, np.uint8)
    labels[heat <= low] = cv2.GC_BGD  # <=: a class map is 0 at many pixels
    labels[heat > high] = cv2.GC_FGD
    return labels
