"""Computes boxes from images: crops, saliency, boxer and guess rule together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gapnet.errors import GapnetError
from gapnet.localization.boxers.threshold import Boxer, Heat, ThresholdBoxer
from gapnet.localization.crops import CropOutputs, Crops, Single
from gapnet.localization.guesses import GuessRule
from gapnet.ops.boxes import clip, leave_window
from gapnet.saliency.base import Saliency

if TYPE_CHECKING:
    from gapnet.models.gapnet import GapNet

MOST_CELLS = 32_767  # of a side: cells are stored in 16 bits


@dataclass(frozen=True)
class Localizer:
    """Crops of an image, saliency, boxer and guess rule, used together."""

    saliency: Saliency
    boxer: Boxer
    guesses: GuessRule
    crops: Crops = field(default_factory=Single)

    def __post_init__(self) -> None:
        """Refuse a guess rule that needs more boxes than the boxer returns."""
        if self.guesses.boxes_a_class > self.boxer.boxes_a_map:
            raise GapnetError(
                f"guesses={type(self.guesses).__name__}: needs {self.guesses.boxes_a_class} boxes "
                f"per map, but this boxer returns {self.boxer.boxes_a_map}; use boxer=tight_loose "
                "or boxer=released"
            )

    def passes(self, network: "GapNet") -> int:
        """Return the number of forward and backward passes per image."""
        classes = min(self.guesses.classes, network.num_classes) + 1  # and the true class
        return self.crops.looks * (1 + self.saliency.passes(classes, network.facts.input_size))

    def look(self, network: "GapNet", images: Tensor) -> CropOutputs:
        """Run the network on normalised images (B, 3, H, W), or on crops of them."""
        return self.crops.look(network, images)

    def maps(
        self, network: "GapNet", outputs: CropOutputs, classes: Tensor, ids: Sequence[str]
    ) -> Tensor:
        """Return maps (B, K, h, w) of classes (B, K); non-finite values raise an error."""
        maps = self.crops.maps(self.saliency, network, outputs, classes)
        non_finite = (~torch.isfinite(maps)).flatten(1).any(1).nonzero().flatten().tolist()
        if non_finite:
            raise GapnetError(
                f"image {ids[non_finite[0]]}: its class map contains NaN or infinite values; "
                "check the network's weights and its input"
            )
        return maps.cpu()

    def boxes(
        self, maps: Tensor, windows: Tensor, sizes: Tensor, pictures: Tensor | None = None
    ) -> Tensor:
        """Return inclusive boxes (B, K, M, 4) of maps (B, K, h, w), in pixels of the files.

        Args:
            maps: of the windows.
            windows: edges of the parts of the files that the network saw, (B, 4).
            sizes: (height, width) per file, (B, 2).
            pictures: that part, in bytes (B, 3, H, W), for boxers that use it.
        """
        views = [None] * len(maps) if pictures is None else pictures.cpu().unbind()
        images = zip(maps, windows.cpu(), sizes.cpu(), views, strict=True)
        return torch.stack([self._image_boxes(*image) for image in images])

    def _image_boxes(
        self, maps: Tensor, window: Tensor, size: Tensor, picture: Tensor | None
    ) -> Tensor:
        """Return the boxes (K, M, 4) of the maps (K, h, w) of one image."""
        grid = self.grid(window)
        # A subclass may scale maps, or choose boxes, in another way
        if type(self.boxer) is ThresholdBoxer:
            cells = self.boxer.boxes_of_maps(maps, grid)
            return _in_pixels(cells, window, grid, size)
        return self.boxes_of_heats(self.boxer.heat(maps, grid), window, size, picture)

    def boxes_of_heats(
        self, heats: Heat, window: Tensor, size: Tensor, picture: Tensor | None
    ) -> Tensor:
        """Return the boxes (K, M, 4) of maps (K, H, W) on the boxer's grid over a window (4,)."""
        view = None if picture is None else picture.permute(1, 2, 0).numpy()  # a view: no copy
        cells = np.stack([self.boxer.boxes(heat, view) for heat in heats])
        height, width = heats.shape[1:]
        return _in_pixels(cells, window, (height, width), size)

    def grid(self, window: Tensor) -> tuple[int, int]:
        """Return the size (height, width) of the boxer's grid over a window (4,), in cells."""
        width, height = (window[2:] - window[:2]).round().clamp(min=1).int().tolist()
        if max(width, height) > MOST_CELLS:
            raise GapnetError(
                f"image of {width} x {height} pixels: must have at most {MOST_CELLS} per side; "
                "make it smaller"
            )
        return self.boxer.grid((height, width))


def _in_pixels(
    cells: NDArray[np.int16], window: Tensor, grid: tuple[int, int], size: Tensor
) -> Tensor:
    """Convert boxes (..., 4) from cells of a grid over a window to pixels of a file of `size`."""
    return clip(leave_window(torch.from_numpy(cells).float(), window, grid), size)
