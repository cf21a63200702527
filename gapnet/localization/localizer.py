"""Saliency, boxer and guess rule together: from what a network has seen to boxes in the files."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gapnet.errors import GapnetError
from gapnet.localization.boxers import Boxer
from gapnet.localization.guesses import GuessRule
from gapnet.models.gapnet import GapNet
from gapnet.ops.boxes import clip, leave_window
from gapnet.saliency.base import Saliency, Seen

MOST_CELLS = 32_767  # a side: cells are counted in 16 bits


@dataclass(frozen=True)
class Localizer:
    """Say how maps are made, boxed and guessed from."""

    saliency: Saliency
    boxer: Boxer
    guesses: GuessRule

    def maps(self, network: GapNet, seen: Seen, classes: Tensor, ids: Sequence[str]) -> Tensor:
        """Map the evidence (B, K, h, w) for classes (B, K); NaN is an error with the image's id."""
        maps = self.saliency(network, seen, classes)
        broken = (~torch.isfinite(maps)).flatten(1).any(1).nonzero().flatten().tolist()
        if broken:
            raise GapnetError(
                f"image {ids[broken[0]]}: its class map holds NaN or infinite values; "
                "the network's weights or its input are broken"
            )
        return maps.cpu()

    def boxes(self, maps: Tensor, windows: Tensor, sizes: Tensor) -> Tensor:
        """Box maps (B, K, h, w): inclusive boxes (B, K, 4) in the pixels of the files.

        Args:
            maps: over the windows.
            windows: edges of what the network was shown of each file, (B, 4).
            sizes: (height, width) of each file, (B, 2).
        """
        boxed = []
        for each, window, size in zip(maps, windows.cpu(), sizes.cpu(), strict=True):
            grid = self.grid(window)
            cells = [self.boxer.box(heat) for heat in self.boxer.heat(each, grid)]
            boxes = torch.from_numpy(np.stack(cells)).float()
            boxed.append(clip(leave_window(boxes, window, grid), size))
        return torch.stack(boxed)

    def grid(self, window: Tensor) -> tuple[int, int]:
        """Say how many cells (height, width) the boxer lays over a window (4,)."""
        width, height = (window[2:] - window[:2]).round().clamp(min=1).int().tolist()
        if max(width, height) > MOST_CELLS:
            raise GapnetError(
                f"an image of which {width} x {height} pixels are shown: boxes are found in views "
                f"of at most {MOST_CELLS} pixels a side; make it smaller"
            )
        return self.boxer.grid((height, width))
