"""The network: a trunk, a head, and the facts about them that others need."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gapnet.models.heads import CamHead

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

Plain = str | int | float | bool | None | list[int] | list[float] | list[str]


@dataclass(frozen=True)
class Facts:
    """State what a network expects and gives.

    Args:
        input_size: (height, width) of its images.
        map_size: (height, width) of its class maps at that input.
        mean: per channel, of inputs in 0..1.
        std: per channel, likewise.
        weights: where its weights came from.
    """

    input_size: tuple[int, int]
    map_size: tuple[int, int]
    mean: Sequence[float] = IMAGENET_MEAN
    std: Sequence[float] = IMAGENET_STD
    weights: str = "random"


class GapNet(nn.Module):
    """Go from images to features, and from features to logits and class maps."""

    mean: Tensor
    std: Tensor

    def __init__(self, trunk: nn.Module, head: CamHead, facts: Facts) -> None:
        """Join a trunk, images -> (B, C, h, w), and a head that takes these C channels."""
        super().__init__()
        self.trunk = trunk
        self.head = head
        self.facts = facts
        self.name = type(
            self
        ).__name__  # the registry replaces these two by how the network was built
        self.arguments: dict[str, Plain] = {}
        self.classes: tuple[str, ...] | None = None  # ids of the classes it was trained for
        self.register_buffer("mean", torch.tensor(facts.mean).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(facts.std).view(-1, 1, 1), persistent=False)

    def normalise(self, images: Tensor) -> Tensor:
        """Turn bytes (B, 3, H, W) into the floats that the network expects."""
        return (images.to(self.mean.dtype) / 255 - self.mean) / self.std

    def forward_features(self, images: Tensor) -> Tensor:
        """Give the features (B, C, h, w) that are pooled, of normalised images (B, 3, H, W)."""
        return self.head.embed(self.trunk(images))

    def forward_head(self, features: Tensor) -> Tensor:
        """Give the logits (B, classes) of features (B, C, h, w)."""
        logits: Tensor = self.head(features)
        return logits

    def forward(self, images: Tensor) -> Tensor:
        """Give the logits (B, classes) of normalised images (B, 3, H, W)."""
        return self.forward_head(self.forward_features(images))

    def class_maps(self, features: Tensor, classes: Tensor) -> Tensor:
        """Give the maps (B, K, h, w) of classes (B, K).

        Their mean (for max pooling, their maximum) plus the bias is the logit.
        """
        return self.head.class_maps(features, classes)
