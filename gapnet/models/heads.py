"""Heads: pooling and one linear layer (section 2), or fully connected layers."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from gapnet.models.surgery import initialise
from gapnet.ops.maps import class_map
from gapnet.system.value_checks import one_of, whole_number, wrong_value

Pool = Literal["avg", "max", "max_unit"]
Profile = Literal["modern", "caffe"]


def is_caffe(profile: Profile) -> bool:
    """Return whether to follow the released definitions, "caffe", or the paper, "modern"."""
    one_of("model.profile", profile, get_args(Profile))
    return profile == "caffe"


@dataclass(frozen=True)
class Added:
    """Convs that a head adds, each 3x3 with padding 1, followed by a ReLU.

    Args:
        width: units of each conv.
        depth: number of convs.
        groups: of the channels of a conv.
        deviation: of the normal distribution of initial weights; None is He's rule.
        bias: initial value of biases.
    """

    width: int = 1024
    depth: int = 1
    groups: int = 1
    deviation: float | None = None
    bias: float = 0.0

    @classmethod
    def of(cls, width: int | None) -> "Added | None":
        """Return one conv of `width` units, or none."""
        return None if width is None else cls(width)

    def __post_init__(self) -> None:
        """Check the width."""
        whole_number("model.width", self.width, least=1)
        if self.width % self.groups:
            raise wrong_value("model.width", self.width, f"must be a multiple of {self.groups}")

    def build(self, channels: int) -> nn.Sequential:
        """Return the convs for features of `channels`."""
        widths = [channels] + [self.width] * self.depth
        convs = [
            nn.Conv2d(inputs, width, 3, padding=1, groups=self.groups)
            for inputs, width in pairwise(widths)
        ]
        for conv in convs:
            self._initialise(conv)
        return nn.Sequential(*(layer for conv in convs for layer in (conv, nn.ReLU(inplace=True))))

    def _initialise(self, conv: nn.Conv2d) -> None:
        initialise(conv)
        if self.deviation is not None:
            nn.init.normal_(conv.weight, std=self.deviation)
        if conv.bias is not None:
            nn.init.constant_(conv.bias, self.bias)


class CamHead(nn.Module):
    """Head whose logit of a class is the pooled class map plus a bias.

    `forward(embed(x))` pools sum_k w_k f_k(x, y) over x and y, and adds the bias. For the average
    the weights can also be applied after the pooling, as in the paper. For the maximum this is not
    the same: with "max" a class's score is the highest value of its class map; with "max_unit",
    the paper's global max pooling, each unit is pooled first, at its own maximum.
    """

    def __init__(
        self,
        channels: int,
        num_classes: int,
        *,
        added: Added | None = Added(),
        pool: Pool = "avg",
        dropout: float = 0.0,
    ) -> None:
        """Build the head for features of `channels`; without an added conv it pools them."""
        super().__init__()
        whole_number("num_classes", num_classes, least=1)
        one_of("model.pool", pool, get_args(Pool))
        self.pool = pool
        self.conv = added.build(channels) if added else nn.Identity()
        # Drops whole channels, which is dropout on the pooled vector
        self.dropout = nn.Dropout2d(dropout)
        self.linear = nn.Linear(added.width if added else channels, num_classes)

    def embed(self, trunk_features: Tensor) -> Tensor:
        """Return the features of the class maps, (B, C, h, w), from those of the trunk."""
        features: Tensor = self.conv(trunk_features)
        return features

    def forward(self, features: Tensor) -> Tensor:
        """Return the logits (B, classes) of embedded features (B, C, h, w)."""
        features = self.dropout(features)
        if self.pool == "max":
            maps = torch.einsum("bchw,nc->bnhw", features, self.linear.weight)
            return maps.amax((-2, -1)) + self.linear.bias
        sides = (-2, -1)
        pooled = features.mean(sides) if self.pool == "avg" else features.amax(sides)
        logits: Tensor = self.linear(pooled)
        return logits

    def class_maps(self, features: Tensor, classes: Tensor) -> Tensor:
        """Return the maps (B, K, h, w) of classes (B, K) for embedded features (B, C, h, w)."""
        return class_map(features, self.linear.weight[classes])


class FlatHead(nn.Module):
    """Head of fully connected layers on the flattened features, without class maps."""

    def __init__(self, layers: nn.Module, width: int, num_classes: int) -> None:
        """Add the last layer, which takes `width` units, to `layers`, which take a vector."""
        super().__init__()
        whole_number("num_classes", num_classes, least=1)
        self.layers = layers
        self.linear = nn.Linear(width, num_classes)
        nn.init.normal_(self.linear.weight, std=0.01)  # as in torchvision's VGG
        nn.init.zeros_(self.linear.bias)

    def embed(self, trunk_features: Tensor) -> Tensor:
        """Return the trunk's features."""
        return trunk_features

    def forward(self, features: Tensor) -> Tensor:
        """Return the logits (B, classes) of features (B, C, h, w)."""
        logits: Tensor = self.linear(self.layers(features.flatten(1)))
        return logits


Head = CamHead | FlatHead
