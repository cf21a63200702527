"""What a saliency method is."""

from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from gapnet.models.gapnet import GapNet


class Seen(NamedTuple):
    """Hold a forward pass: normalised images (B, 3, H, W), features (B, C, h, w), logits (B, N)."""

    images: Tensor
    features: Tensor
    logits: Tensor


class Saliency(Protocol):
    """Map the evidence for classes (B, K): maps (B, K, h, w), from a network and what it has seen.

    The forward pass is handed in because the classes are mostly chosen by its logits: a method that
    needs no more than the features then costs no second pass.
    """

    def __call__(self, network: GapNet, seen: Seen, classes: Tensor) -> Tensor:
        """Give the maps."""
        ...

    def check(self, network: GapNet) -> None:
        """Refuse a network that the method has no maps of, before work begins."""
        ...

    def passes(self, classes: int, size: tuple[int, int]) -> int:
        """Count the passes through the whole network that the maps of an image take.

        They go forward or backward, and come on top of the one that saw the image.

        Args:
            classes: K, how many are mapped.
            size: (height, width) of the image.
        """
        ...


def look(network: GapNet, images: Tensor) -> Seen:
    """Run the network once over normalised images (B, 3, H, W)."""
    features = network.forward_features(images)
    return Seen(images, features, network.forward_head(features))


def single(values: Tensor) -> Tensor:
    """Bring half precision, which autocast gives, to single; keep double.

    >>> single(torch.ones(1, dtype=torch.bfloat16)).dtype
    torch.float32
    """
    return values.to(torch.promote_types(values.dtype, torch.float32))
