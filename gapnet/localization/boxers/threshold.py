"""Rules that turn a map into boxes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, Protocol, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gapnet.ops.components import Size, largest_component_boxes
from gapnet.ops.maps import normalise, upsample
from gapnet.system.value_checks import number, one_of, whole_number

CUT = 0.20  # of the map's maximum, section 3.2

Heat = NDArray[np.float32]
Picture = NDArray[np.uint8]


class Swept(NamedTuple):
    """Hold the boxes (S, 4) of one map at many cuts, in cells, and the cut's index of each, (S,).

    Every cut has at least one box; the first of those with the same index is the main one.
    """

    boxes: NDArray[np.int16]
    cuts: NDArray[np.int16]


class Boxer(Protocol):
    """Lay a map over a grid, as heat from 0 to 1, and box it there, in whole cells."""

    @property
    def cut(self) -> float | None:
        """Name the share of the maximum that the main box is found at, if there is one."""
        ...

    @property
    def boxes_a_map(self) -> int:
        """Count the boxes that each map has."""
        ...

    def thresholds(self) -> list[float]:
        """List the cuts of a sweep, ascending."""
        ...

    def grid(self, size: tuple[int, int]) -> tuple[int, int]:
        """Say how many cells (height, width) lie over a view of `size` pixels of the file."""
        ...

    def heat(self, maps: Tensor, grid: tuple[int, int]) -> Heat:
        """Lay maps (K, h, w) over a grid: (K, H, W)."""
        ...

    def boxes(self, heat: Heat, picture: Picture | None) -> NDArray[np.int16]:
        """Give the boxes (boxes_a_map, 4) of one map, the main one first.

        The picture (H, W, 3), of any size, is what the network was shown, where it is at hand.
        """
        ...

    def sweep(self, heat: Heat, cuts: Sequence[float]) -> Swept:
        """Give the boxes of one map that the rule would give at other cuts, ascending."""
        ...


def check_cut(cut: float) -> None:
    """Check a boxer's threshold."""
    number("boxer.cut", cut, least=0, below=1)


class OfMaximum:
    """Be a boxer that gives every pixel a cell, and looks at shares of a map's maximum."""

    def grid(self, size: tuple[int, int]) -> tuple[int, int]:
        """Give every pixel a cell."""
        return size

    def heat(self, maps: Tensor, grid: tuple[int, int]) -> Heat:
        """Resize maps (K, h, w), and divide each by its maximum."""
        if not torch.isfinite(maps).all():
            raise ValueError("a map holds NaN or infinite values")
        heat: Heat = normalise(upsample(maps.float(), grid)).cpu().numpy()
        return heat


@dataclass(frozen=True)
class ThresholdBoxer(OfMaximum):
    """Box the largest component of the region above a share of the map's maximum (section 3.2).

    The grid has a cell for each pixel. A map without a positive value says nothing about place: its
    box is the whole view.

    Args:
        cut: the share.
        tight: a higher share, whose box comes second; for guesses of a loose and a tight box.
        connectivity: 8 lets cells touch at corners, 4 does not.
        largest: what is compared: the pixels of a component, or the area inside its contour.
        cuts: how many shares a sweep tries, evenly from 0 up to, but not including, 1.
    """

    cut: float = CUT
    tight: float | None = None
    connectivity: Literal[4, 8] = 8
    largest: Size = "pixels"
    cuts: int = 100

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_cut(self.cut)
        number("boxer.tight", self.tight, least=self.cut, below=1, optional=True)
        one_of("boxer.connectivity", self.connectivity, (4, 8))
        one_of("boxer.largest", self.largest, get_args(Size))
        whole_number("boxer.cuts", self.cuts, least=1)

    @property
    def boxes_a_map(self) -> int:
        """Count one box, or a loose and a tight one."""
        return 1 if self.tight is None else 2

    def thresholds(self) -> list[float]:
        """List the cuts of a sweep, ascending."""
        return [index / self.cuts for index in range(self.cuts)]

    def boxes(self, heat: Heat, picture: Picture | None) -> NDArray[np.int16]:
        """Give the box of one map at the boxer's own cut, and the tight one."""
        del picture
        return self.sweep(heat, [self.cut, *(() if self.tight is None else (self.tight,))]).boxes

    def sweep(self, heat: Heat, cuts: Sequence[float]) -> Swept:
        """Give the box of one map at each cut."""
        boxes = largest_component_boxes(
            heat,
            np.array(cuts, dtype=np.float32),
            connectivity=self.connectivity,
            size=self.largest,
        )
        return Swept(boxes.astype(np.int16), np.arange(len(cuts), dtype=np.int16))


class Unswept(OfMaximum):
    """Be such a boxer whose rule has no one threshold to sweep over."""

    cut: ClassVar[None] = None

    def thresholds(self) -> list[float]:
        """List none."""
        return []

    def sweep(self, heat: Heat, cuts: Sequence[float]) -> Swept:
        """Give no box."""
        del heat, cuts
        return Swept(np.zeros((0, 4), np.int16), np.zeros(0, np.int16))


def whole_map(heat: Heat, count: int) -> NDArray[np.int16]:
    """Box all of a map that says nothing about place, `count` times over: (count, 4)."""
    height, width = heat.shape
    return np.array([(0, 0, width - 1, height - 1)] * count, np.int16)
