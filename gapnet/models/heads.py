"""What stands behind a trunk: pooling and one linear layer (section 2), or fully connected ones."""

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
    """Choose between the paper's text, "modern", and the definitions released with it, "caffe"."""
    one_of("model.profile", profile, get_args(Profile))
    return profile == "caffe"


@dataclass(frozen=True)
class Added:
    """Describe the convs that a head adds, each 3x3, keeping the size, and rectified.

    Args:
        width: of each, in units.
        depth: how many.
        groups: that a conv's channels are split into.
        deviation: of the normal distribution that weights start from; None starts them as a
            trunk's (He's rule).
        bias: that they start from.
    """

    width: int = 1024
    depth: int = 1
    groups: int = 1
    deviation: float | None = None
    bias: float = 0.0

    @classmethod
    def of(cls, width: int | None) -> "Added | None":
        """Describe one conv of `width` units, or none."""
        return None if width is None else cls(width)

    def __post_init__(self) -> None:
        """Check the width."""
        whole_number("model.width", self.width, least=1)
        if self.width % self.groups:
            raise wrong_value("model.width", self.width, f"must be a multiple of {self.groups}")

    def build(self, channels: int) -> nn.Sequential:
        """Build the convs over features of `channels`."""
        widths = [channels] + [self.width] * self.depth
        convs = [
            nn.Conv2d(given, width, 3, padding=1, groups=self.groups)
            for given, width in pairwise(widths)
        ]
        for conv in convs:
            self._start(conv)
        return nn.Sequential(*(each for conv in convs for each in (conv, nn.ReLU(inplace=True))))

    def _start(self, conv: nn.Conv2d) -> None:
        initialise(conv)
        if self.deviation is not None:
            nn.init.normal_(conv.weight, std=self.deviation)
        if conv.bias is not None:
            nn.init.constant_(conv.bias, self.bias)


class CamHead(nn.Module):
    """Classify by one pooled number per class map.

    `forward(embed(x))` pools sum_k w_k f_k(x, y) over places and adds the bias. For the average the
    weights may as well be applied after the pooling, as in the paper. For the maximum they may not:
    with "max" a class's score is the highest value of its class map; with "max_unit", the paper's
    global max pooling, each unit is pooled first, and its places need not be those of the others.
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
        """Build the head over features of `channels`; it pools those if no conv is added."""
        super().__init__()
        whole_number("num_classes", num_classes, least=1)
        one_of("model.pool", pool, get_args(Pool))
        self.pool = pool
        self.conv = added.build(channels) if added else nn.Identity()
        # whole channels, which is dropout on the pooled vector
        self.dropout = nn.Dropout2d(dropout)
        self.linear = nn.Linear(added.width if added else channels, num_classes)

    def embed(self, trunk_features: Tensor) -> Tensor:
        """Turn the trunk's features into those that the class maps are made of, (B, C, h, w)."""
        features: Tensor = self.conv(trunk_features)
        return features

    def forward(self, features: Tensor) -> Tensor:
        """Score embedded features (B, C, h, w): logits (B, classes)."""
        features = self.dropout(features)
        if self.pool == "max":
            every_map = torch.einsum("bchw,nc->bnhw", features, self.linear.weight)
            return every_map.amax((-2, -1)) + self.linear.bias
        places = (-2, -1)
        pooled = features.mean(places) if self.pool == "avg" else features.amax(places)
        logits: Tensor = self.linear(pooled)
        return logits

    def class_maps(self, features: Tensor, classes: Tensor) -> Tensor:
        """Map the evidence (B, K, h, w) for classes (B, K) in embedded features (B, C, h, w)."""
        return class_map(features, self.linear.weight[classes])


class FlatHead(nn.Module):
    """Classify by fully connected layers over the flattened features; a place is lost in them."""

    def __init__(self, layers: nn.Module, width: int, num_classes: int) -> None:
        """Put the last layer, which takes `width` units, behind `layers`, which take a vector."""
        super().__init__()
        whole_number("num_classes", num_classes, least=1)
        self.layers = layers
        self.linear = nn.Linear(width, num_classes)
        nn.init.normal_(self.linear.weight, std=0.01)  # as torchvision's VGG starts
        nn.init.zeros_(self.linear.bias)

    def embed(self, trunk_features: Tensor) -> Tensor:
        """Give the trunk's features."""
        return trunk_features

    def forward(self, features: Tensor) -> Tensor:
        """Score features (B, C, h, w): logits (B, classes)."""
        logits: Tensor = self.linear(self.layers(features.flatten(1)))
        return logits


Head = CamHead | FlatHead
