"""The interface of boxers, which compute boxes from a map, and the boxer of the paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, Protocol, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gapnet.ops.components import Size, largest_component_boxes
from gapnet.ops.maps import upsample
from gapnet.ops.shares import thresholds_of_shares
from gapnet.system.value_checks import number, one_of, whole_number

CUT = 0.20  # of the map's maximum, section 3.2

Heat = NDArray[np.float32]
ImageArray = NDArray[np.uint8]


class BoxSweep(NamedTuple):
    """Boxes (S, 4) of one map at many cuts, in cells, and their cut indices, (S,).

    Every cut has at least one box; the first box with an index is the main box of that cut.
    """

    boxes: NDArray[np.int16]
    cuts: NDArray[np.int16]


class Boxer(Protocol):
    """Interface of boxers: they resize maps to a grid, scale them to 0..1, return boxes."""

    @property
    def cut(self) -> float | None:
        """Return the share of the maximum that the main box is computed at; None if none is."""
        ...

    @property
    def boxes_a_map(self) -> int:
        """Return the number of boxes per map."""
        ...

    def thresholds(self) -> list[float]:
        """Return the cuts of a sweep, ascending."""
        ...

    def grid(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the size (height, width) of the grid for a view of `size` pixels, in cells."""
        ...

    def heat(self, maps: Tensor, grid: tuple[int, int]) -> Heat:
        """Return maps (K, h, w) resized to a grid and scaled: (K, H, W)."""
        ...

    def boxes(self, heat: Heat, picture: ImageArray | None) -> NDArray[np.int16]:
        """Return the boxes (boxes_a_map, 4) of one map, the main box first.

        The picture (H, W, 3), of any size, is what the network saw; None if it is not available.
        """
        ...

    def sweep(self, heat: Heat, cuts: Sequence[float]) -> BoxSweep:
        """Return the boxes of one map at other cuts, ascending."""
        ...


def check_cut(cut: float) -> None:
    """Check a boxer's threshold."""
    number("boxer.cut", cut, least=0, below=1)


class FullSizeBoxer:
    """Base of boxers with one grid cell per pixel, and maps divided by their maximum."""

    def grid(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the size of the view: one cell per pixel."""
        return size

    def heat(self, maps: Tensor, grid: tuple[int, int]) -> Heat:
        """Return maps (K, h, w) resized to the grid and divided by their maxima."""
        resized = resize_finite(maps, grid)
        highest = resized.amax((-2, -1), keepdim=True)
        resized.clamp_(min=0).div_(torch.where(highest > 0, highest, 1))  # `normalise`, in place
        heat: Heat = resized.numpy()
        return heat


@dataclass(frozen=True)
class ThresholdBoxer(FullSizeBoxer):
    """Boxes of the largest component above a share of the map's maximum (section 3.2).

    The grid has one cell per pixel. If a map has no positive value, its box is the whole view.

    Args:
        cut: the share.
        tight: a higher share for a second, tight box; None for one box per map.
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
        """Return 1, or 2 for a loose and a tight box."""
        return 1 if self.tight is None else 2

    def thresholds(self) -> list[float]:
        """Return the cuts of a sweep, ascending."""
        return [index / self.cuts for index in range(self.cuts)]

    def boxes(self, heat: Heat, picture: ImageArray | None) -> NDArray[np.int16]:
        """Return the box of one map at the boxer's cut, and the tight box if there is one."""
        del picture
        return self._boxes_above(heat, self._shares())

    def boxes_of_maps(self, maps: Tensor, grid: tuple[int, int]) -> NDArray[np.int16]:
        """Return the boxes (K, boxes_a_map, 4) that `heat` and `boxes` give, in less time.

        The resized maps (K, H, W) are not divided by their maxima; the cuts are multiplied instead.
        """
        return np.stack([self._boxes_unscaled(heat) for heat in resize_finite(maps, grid).numpy()])

    def _boxes_unscaled(self, heat: Heat) -> NDArray[np.int16]:
        highest = heat.max()
        if highest <= 0:
            return whole_map(heat, self.boxes_a_map)
        return self._boxes_above(heat, thresholds_of_shares(highest, self._shares()))

    def _shares(self) -> NDArray[np.float32]:
        return np.array([self.cut, *(() if self.tight is None else (self.tight,))], np.float32)

    def sweep(self, heat: Heat, cuts: Sequence[float]) -> BoxSweep:
        """Return the boxes of one map at all cuts."""
        boxes = self._boxes_above(heat, np.array(cuts, dtype=np.float32))
        return BoxSweep(boxes, np.arange(len(cuts), dtype=np.int16))

    def _boxes_above(self, heat: Heat, thresholds: NDArray[np.float32]) -> NDArray[np.int16]:
        boxes = largest_component_boxes(
            heat, thresholds, connectivity=self.connectivity, size=self.largest
        )
        return boxes.astype(np.int16)


class BoxerWithoutSweep(FullSizeBoxer):
    """Base of boxers without a single threshold, which cannot be swept."""

    cut: ClassVar[None] = None

    def thresholds(self) -> list[float]:
        """Return no cuts."""
        return []

    def sweep(self, heat: Heat, cuts: Sequence[float]) -> BoxSweep:
        """Return no boxes."""
        del heat, cuts
        return BoxSweep(np.zeros((0, 4), np.int16), np.zeros(0, np.int16))


def resize_finite(maps: Tensor, grid: tuple[int, int]) -> Tensor:
    """Return maps (K, h, w) resized to a grid, on the CPU; non-finite values raise an error."""
    if not torch.isfinite(maps).all():
        raise ValueError("a map contains NaN or infinite values")
    return upsample(maps.float(), grid).cpu()


def whole_map(heat: Heat, count: int) -> NDArray[np.int16]:
    """Return the box of the whole map, `count` times: (count, 4)."""
    height, width = heat.shape
    return np.array([(0, 0, width - 1, height - 1)] * count, np.int16)
