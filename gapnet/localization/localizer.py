"""Crops, saliency, boxer and guess rule together: from images to boxes in the files."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from gapnet.errors import GapnetError
from gapnet.localization.boxers.threshold import Boxer, Heat
from gapnet.localization.crops import Crops, Looked, Single
from gapnet.localization.guesses import GuessRule
from gapnet.models.gapnet import GapNet
from gapnet.ops.boxes import clip, leave_window
from gapnet.saliency.base import Saliency

MOST_CELLS = 32_767  # a side: cells are counted in 16 bits


@dataclass(frozen=True)
class Localizer:
    """Say how images are looked at, and how maps are made, boxed and guessed from."""

    saliency: Saliency
    boxer: Boxer
    guesses: GuessRule
    crops: Crops = field(default_factory=Single)

    def __post_init__(self) -> None:
        """Refuse a guess rule that needs more boxes than the boxer gives."""
        if self.guesses.boxes_a_class > self.boxer.boxes_a_map:
            raise GapnetError(
                f"guesses={type(self.guesses).__name__}: needs {self.guesses.boxes_a_class} boxes "
                f"of a map, and this boxer gives {self.boxer.boxes_a_map}; take boxer=tight_loose "
                "or boxer=released"
            )

    def passes(self, network: GapNet) -> int:
        """Count the passes through the network, forward or backward, that an image takes."""
        classes = min(self.guesses.classes, network.num_classes) + 1  # and the true one
        return self.crops.looks * (1 + self.saliency.passes(classes, network.facts.input_size))

    def look(self, network: GapNet, images: Tensor) -> Looked:
        """Look at normalised images (B, 3, H, W)."""
        return self.crops.look(network, images)

    def maps(self, network: GapNet, looked: Looked, classes: Tensor, ids: Sequence[str]) -> Tensor:
        """Map the evidence (B, K, h, w) for classes (B, K); NaN is an error with the image's id."""
        maps = self.crops.maps(self.saliency, network, looked, classes)
        broken = (~torch.isfinite(maps)).flatten(1).any(1).nonzero().flatten().tolist()
        if broken:
            raise GapnetError(
                f"image {ids[broken[0]]}: its class map holds NaN or infinite values; "
                "the network's weights or its input are broken"
            )
        return maps.cpu()

    def boxes(
        self, maps: Tensor, windows: Tensor, sizes: Tensor, pictures: Tensor | None = None
    ) -> Tensor:
        """Box maps (B, K, h, w): inclusive boxes (B, K, M, 4) in the pixels of the files.

        Args:
            maps: over the windows.
            windows: edges of what the network was shown of each file, (B, 4).
            sizes: (height, width) of each file, (B, 2).
            pictures: what it was shown, in bytes (B, 3, H, W), for boxers that look at it.
        """
        shown = [None] * len(maps) if pictures is None else pictures.cpu().unbind()
        boxed = []
        for each, window, size, picture in zip(
            maps, windows.cpu(), sizes.cpu(), shown, strict=True
        ):
            warm = self.boxer.heat(each, self.grid(window))
            boxed.append(torch.stack([self.box(heat, window, size, picture) for heat in warm]))
        return torch.stack(boxed)

    def box(self, heat: Heat, window: Tensor, size: Tensor, picture: Tensor | None) -> Tensor:
        """Box one map that lies on the boxer's grid over a window (4,): (M, 4)."""
        seen = None if picture is None else np.ascontiguousarray(picture.permute(1, 2, 0).numpy())
        cells = torch.from_numpy(self.boxer.boxes(heat, seen)).float()
        height, width = heat.shape
        return clip(leave_window(cells, window, (height, width)), size)

    def grid(self, window: Tensor) -> tuple[int, int]:
        """Say how many cells (height, width) the boxer lays over a window (4,)."""
        width, height = (window[2:] - window[:2]).round().clamp(min=1).int().tolist()
        if max(width, height) > MOST_CELLS:
            raise GapnetError(
                f"an image of which {width} x {height} pixels are shown: boxes are found in views "
                f"of at most {MOST_CELLS} pixels a side; make it smaller"
            )
        return self.boxer.grid((height, width))
