"""Heads: pooling and one linear layer (section 2), or fully connected layers."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm

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
    """Convs that a head adds: 3x3 with padding 1, and a ReLU after every conv.

    Args:
        width: units of a conv.
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
    the paper's global max pooling, every unit is pooled first, at its own maximum.
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
        logits: Tensor = self.linear(self.vector(features))
        return logits

    def vector(self, features: Tensor) -> Tensor:
        """Return the vector (B, C) that the linear layer takes, of features (B, C, h, w).

        With pool="max" the linear layer is applied before the pooling, and there is no such vector.
        """
        return self.pooled(features)

    def pooled(self, features: Tensor) -> Tensor:
        """Return the pooled features (B, C): the mean or maximum of every channel."""
        sides = (-2, -1)
        return features.mean(sides) if self.pool == "avg" else features.amax(sides)

    @property
    def bias(self) -> Tensor:
        """Return what is added to the pooled class map of a class to get its logit, (classes,)."""
        return self.linear.bias

    def class_maps(self, features: Tensor, classes: Tensor) -> Tensor:
        """Return the maps (B, K, h, w) of classes (B, K) for embedded features (B, C, h, w)."""
        return self.weighted_maps(features, self.linear.weight[classes])

    def weighted_maps(self, features: Tensor, weights: Tensor) -> Tensor:
        """Return the maps (B, K, h, w) of other weights (B, K, C) than those of a class."""
        return class_map(features, weights)


class AdoptedHead(CamHead):
    """Head with the classifier of another network, and the layer norm before it, if there is one.

    A layer norm subtracts the mean m of the pooled features over the channels, divides by their
    deviation s, multiplies by a weight g and adds a bias b. The class map applies the same m, s
    and g at each position, which keeps the sum: it is sum_k w_k g_k (f_k(x, y) - m(x, y)) / s,
    where m(x, y) is the mean over the channels at that position and s belongs to the whole image.
    """

    def __init__(
        self, linear: nn.Module | None, norm: nn.Module | None, *, channels: int, pool: Pool
    ) -> None:
        """Take a linear layer or a 1x1 conv; None stands for pooled features that are logits."""
        super().__init__(1, 1, added=None)
        self.pool = pool
        self.linear = _as_linear(linear, channels)
        self.norm = norm if isinstance(norm, nn.LayerNorm) else None
        self.layer_names: dict[str, str] = {}  # names in the other network -> linear, norm

    def vector(self, features: Tensor) -> Tensor:
        """Return the vector (B, C) that the linear layer takes: pooled, then normalised."""
        pooled = self.pooled(features)
        return pooled if self.norm is None else self._normalised(pooled)

    @property
    def bias(self) -> Tensor:
        """Return what is added to the pooled class map of a class to get its logit, (classes,)."""
        if self.norm is None or self.norm.bias is None:
            return self.linear.bias
        return self.linear.bias + self.linear.weight @ self.norm.bias

    def weighted_maps(self, features: Tensor, weights: Tensor) -> Tensor:
        """Return the maps (B, K, h, w) of weights (B, K, C) for features (B, C, h, w)."""
        if self.norm is None:
            return super().weighted_maps(features, weights)
        deviation = (self.pooled(features).var(1, correction=0) + self.norm.eps).sqrt()
        scaled = (features - features.mean(1, keepdim=True)) / deviation[:, None, None, None]
        if self.norm.weight is not None:
            scaled = scaled * self.norm.weight[:, None, None]
        return super().weighted_maps(scaled, weights)

    def _normalised(self, pooled: Tensor) -> Tensor:
        norm = self.norm
        assert norm is not None
        return layer_norm(pooled, norm.normalized_shape, norm.weight, norm.bias, norm.eps)


def _as_linear(layer: nn.Module | None, channels: int) -> nn.Linear:
    """Return a classifier as a linear layer with a bias."""
    if isinstance(layer, nn.Linear) and layer.bias is not None:
        return layer
    if layer is None:
        weight, bias = torch.eye(channels), None
    else:
        assert isinstance(layer, nn.Linear | nn.Conv2d)
        weight, bias = layer.weight.detach().flatten(1), layer.bias
    linear = nn.Linear(weight.shape[1], weight.shape[0], device=weight.device, dtype=weight.dtype)
    linear.weight.data = weight
    linear.bias.data = torch.zeros(len(weight)).to(weight) if bias is None else bias.detach()
    return linear


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
