"""Occlusion (Zeiler, Fergus, 2014, section 4.2), for any network."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gapnet.errors import GapnetError
from gapnet.saliency.base import Seen, Targets, score_targets, single, targets_of
from gapnet.system.progress import track

if TYPE_CHECKING:
    from gapnet.models.gapnet import GapNet


@dataclass(frozen=True)
class Occlusion:
    """Drops of a score when a patch of the image gets the mean colour.

    A class's score is its logit. A pixel's value is the mean drop over the patches that cover it.

    Args:
        window: side of a patch, in pixels of the network's input.
        stride: between patches, in pixels; the last ones at the right and bottom may be closer.
        batch: images in one forward pass.
    """

    window: int = 32
    stride: int = 16
    batch: int = 64

    def __post_init__(self) -> None:
        """Raise an error at values that are out of range."""
        for name, unit in (("window", "pixel"), ("stride", "pixel"), ("batch", "image")):
            value = getattr(self, name)
            if not (isinstance(value, int) and value >= 1):
                raise GapnetError(f"saliency.{name}={value!r}: must be an integer >= 1, in {unit}s")
        if self.stride > self.window:
            raise GapnetError(
                f"saliency.stride={self.stride}: must be at most saliency.window={self.window}, "
                "or no patch covers the pixels between two patches"
            )

    @torch.no_grad()
    def __call__(self, network: "GapNet", seen: Seen, targets: Targets) -> Tensor:
        """Return maps (B, K, H, W) of the images' size."""
        rows, columns = (
            patches(side, self.window, self.stride).to(seen.images.device)
            for side in seen.images.shape[-2:]
        )
        drops = self._drops(network, seen, targets, rows, columns)
        with torch.autocast(drops.device.type, enabled=False):
            return spread(drops, rows.to(drops), columns.to(drops))

    def _drops(
        self, network: "GapNet", seen: Seen, targets: Targets, rows: Tensor, columns: Tensor
    ) -> Tensor:
        """Return the drops (B, Y, X, K) of the scores per patch."""
        grid = (len(seen.images), len(rows), len(columns))
        places = torch.cartesian_prod(*(torch.arange(n, device=rows.device) for n in grid))
        whole = score_targets(single(seen.logits), targets)
        parts = torch.split(places, self.batch)
        drops = []
        for part in track(parts, "occluding", total=len(parts), leave=False):
            image, y, x = part.unbind(1)
            hidden = rows[y][:, None, :, None] & columns[x][:, None, None, :]
            logits = network(seen.images[image].masked_fill(hidden, 0))
            scores = score_targets(single(logits), targets_of(targets, image))
            drops.append(whole[image] - scores)
        return torch.cat(drops).view(*grid, whole.shape[1])

    def check(self, network: "GapNet") -> None:
        """Raise an error if a patch would cover a whole image of the network."""
        height, width = network.facts.input_size
        if self.window >= min(height, width):
            raise GapnetError(
                f"saliency.window={self.window}: must be smaller than the images of network "
                f"{network.name!r}, {height} x {width} pixels"
            )

    def passes(self, targets: int, size: tuple[int, int]) -> int:
        """Count the patches: one forward pass gives the scores of all targets for a patch."""
        height, width = size
        return len(starts(height, self.window, self.stride)) * len(
            starts(width, self.window, self.stride)
        )


def starts(side: int, window: int, stride: int) -> list[int]:
    """Return where windows start along a side; the last one ends at its end.

    >>> starts(10, 4, 4)
    [0, 4, 6]
    """
    last = max(side - window, 0)
    return [*range(0, last, stride), last]


def patches(side: int, window: int, stride: int) -> Tensor:
    """Return which pixels every window along a side covers, (windows, side)."""
    first = torch.tensor(starts(side, window, stride))[:, None]
    pixels = torch.arange(side)
    return (first <= pixels) & (pixels < first + window)


def spread(drops: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Average drops (B, Y, X, K) at a pixel over the patches that cover it: (B, K, H, W).

    Args:
        drops: per patch.
        rows: 1 where a row of patches covers a row of pixels, (Y, H).
        columns: 1 where a column of patches covers a column of pixels, (X, W).
    """
    total = torch.einsum("byxk,yh,xw->bkhw", drops, rows, columns)
    return total / (rows.sum(0)[:, None] * columns.sum(0))
