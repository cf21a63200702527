"""Rules that turn a map into a box."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import numpy as np
import torch
from torch import Tensor

from gapnet.errors import GapnetError
from gapnet.ops.components import Size, largest_component_boxes
from gapnet.ops.maps import normalise, upsample

CUT = 0.20  # of the map's maximum, section 3.2


class Boxer(Protocol):
    """Box maps (K, h, w) laid over `size` (height, width): inclusive boxes (K, 4) in its pixels."""

    cut: float

    def __call__(self, maps: Tensor, size: tuple[int, int]) -> Tensor:
        """Give one box per map."""
        ...

    def sweep(self, maps: Tensor, size: tuple[int, int], cuts: Sequence[float]) -> Tensor:
        """Give the boxes (K, T, 4) that the rule would give at T other cuts, ascending."""
        ...


@dataclass(frozen=True)
class ThresholdBoxer:
    """Box the largest component of the region above a share of the map's maximum (section 3.2).

    A map without a positive value says nothing about place: its box is the whole view.
    """

    cut: float = CUT
    connectivity: Literal[4, 8] = 8
    largest: Size = "pixels"

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 0 <= self.cut < 1:
            raise GapnetError(f"boxer.cut={self.cut}: must be from 0 up to, but not including, 1")
        if self.connectivity not in (4, 8):
            raise GapnetError(f"boxer.connectivity={self.connectivity}: must be 4 or 8")
        if self.largest not in get_args(Size):
            raise GapnetError(
                f"boxer.largest={self.largest!r}: must be one of {', '.join(get_args(Size))}"
            )

    def __call__(self, maps: Tensor, size: tuple[int, int]) -> Tensor:
        """Give one box per map."""
        return self.sweep(maps, size, [self.cut])[:, 0]

    def sweep(self, maps: Tensor, size: tuple[int, int], cuts: Sequence[float]) -> Tensor:
        """Give the boxes (K, T, 4) of maps (K, h, w) at T cuts, ascending."""
        if not torch.isfinite(maps).all():
            raise ValueError("a map holds NaN or infinite values")
        heat = normalise(upsample(maps.float(), size)).cpu().numpy()
        thresholds = np.array(cuts, dtype=np.float32)
        boxes = [
            largest_component_boxes(
                each, thresholds, connectivity=self.connectivity, size=self.largest
            )
            for each in heat
        ]
        return torch.from_numpy(np.stack(boxes))
