"""Occlusion (Zeiler, Fergus, 2014, section 4.2), for any network."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gapnet.errors import GapnetError
from gapnet.models.gapnet import GapNet
from gapnet.saliency.base import Seen, single
from gapnet.system.progress import track


@dataclass(frozen=True)
class Occlusion:
    """Hide a patch of the image behind the mean colour, and see how far a class's score drops.

    The score is the logit. A pixel's value is the mean drop over the patches that cover it.

    Args:
        window: side of a patch, in pixels of the network's input.
        stride: between patches, likewise; at the right and bottom they may lie closer.
        batch: images that pass through the network together.
    """

    window: int = 32
    stride: int = 16
    batch: int = 64

    def __post_init__(self) -> None:
        """Check the numbers."""
        for name, unit in (("window", "pixel"), ("stride", "pixel"), ("batch", "image")):
            value = getattr(self, name)
            if not (isinstance(value, int) and value >= 1):
                raise GapnetError(
                    f"saliency.{name}={value!r}: must be at least 1 {unit}, and a whole number"
                )
        if self.stride > self.window:
            raise GapnetError(
                f"saliency.stride={self.stride}: must be at most saliency.window={self.window}, "
                "or no patch covers the pixels in between"
            )

    @torch.no_grad()
    def __call__(self, network: GapNet, seen: Seen, classes: Tensor) -> Tensor:
        """Give maps (B, K, H, W) of the images' own size."""
        rows, columns = (
            patches(side, self.window, self.stride).to(seen.images.device)
            for side in seen.images.shape[-2:]
        )
        drops = self._drops(network, seen, classes, rows, columns)
        with torch.autocast(drops.device.type, enabled=False):
            return spread(drops, rows.to(drops), columns.to(drops))

    def _drops(
        self, network: GapNet, seen: Seen, classes: Tensor, rows: Tensor, columns: Tensor
    ) -> Tensor:
        """Give the drops (B, Y, X, K) of the scores behind each patch."""
        grid = (len(seen.images), len(rows), len(columns))
        every = torch.cartesian_prod(*(torch.arange(n, device=rows.device) for n in grid))
        whole = single(seen.logits).gather(1, classes)
        parts = torch.split(every, self.batch)
        drops = []
        for part in track(parts, "occluding", total=len(parts), leave=False):
            image, y, x = part.unbind(1)
            hidden = rows[y][:, None, :, None] & columns[x][:, None, None, :]
            logits = network(seen.images[image].masked_fill(hidden, 0))
            drops.append(whole[image] - single(logits).gather(1, classes[image]))
        return torch.cat(drops).view(*grid, classes.shape[1])

    def check(self, network: GapNet) -> None:
        """Refuse a network whose images a patch would hide."""
        height, width = network.facts.input_size
        if self.window >= min(height, width):
            raise GapnetError(
                f"saliency.window={self.window}: must be smaller than the images that network "
                f"{network.name!r} is shown, {height} x {width} pixels"
            )

    def passes(self, classes: int, size: tuple[int, int]) -> int:
        """Count the patches: a forward pass gives the scores of all classes behind one."""
        height, width = size
        return len(starts(height, self.window, self.stride)) * len(
            starts(width, self.window, self.stride)
        )


def starts(side: int, window: int, stride: int) -> list[int]:
    """List where windows start along a side; the last one ends where the side does.

    >>> starts(10, 4, 4)
    [0, 4, 6]
    """
    last = max(side - window, 0)
    return [*range(0, last, stride), last]


def patches(side: int, window: int, stride: int) -> Tensor:
    """Say for each window along a side which pixels it covers, (windows, side)."""
    first = torch.tensor(starts(side, window, stride))[:, None]
    pixels = torch.arange(side)
    return (first <= pixels) & (pixels < first + window)


def spread(drops: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Average drops (B, Y, X, K) over the patches that cover a pixel: (B, K, H, W).

    Args:
        drops: of each patch.
        rows: 1 where a row of patches covers a row of pixels, (Y, H).
        columns: likewise, (X, W).
    """
    total = torch.einsum("byxk,yh,xw->bkhw", drops, rows, columns)
    return total / (rows.sum(0)[:, None] * columns.sum(0))
