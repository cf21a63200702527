"""Saliency, boxer and guess rule together: from what a network has seen to boxes in the files."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gapnet.errors import GapnetError
from gapnet.localization.boxers import Boxer
from gapnet.localization.guesses import GuessRule
from gapnet.models.gapnet import GapNet
from gapnet.ops.boxes import clip, leave_window
from gapnet.saliency.base import Saliency, Seen


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
        return self.boxes_at(maps, windows, sizes, None)[:, :, 0]

    def boxes_at(
        self, maps: Tensor, windows: Tensor, sizes: Tensor, cuts: Sequence[float] | None
    ) -> Tensor:
        """Box maps (B, K, h, w) at T cuts, or at the boxer's own if None: boxes (B, K, T, 4)."""
        boxed = [
            self._boxes_of_one(each, window, (int(height), int(width)), cuts)
            for each, window, (height, width) in zip(
                maps, windows.cpu(), sizes.tolist(), strict=True
            )
        ]
        return torch.stack(boxed)

    def _boxes_of_one(
        self, maps: Tensor, window: Tensor, size: tuple[int, int], cuts: Sequence[float] | None
    ) -> Tensor:
        width, height = (window[2:] - window[:2]).round().clamp(min=1).int().tolist()
        grid = (height, width)  # one cell per pixel of the file
        boxes = (
            self.boxer(maps, grid)[:, None] if cuts is None else self.boxer.sweep(maps, grid, cuts)
        )
        return clip(leave_window(boxes, window, grid), size)
