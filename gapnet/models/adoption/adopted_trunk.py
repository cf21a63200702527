"""The trunk of a published network, with its features as maps."""

from collections.abc import Sequence

import torch
from torch import Tensor, fx, nn

from gapnet.errors import GapnetError
from gapnet.models.adoption.map_layout import MapLayout, Order

POOLED: dict[tuple[int, tuple[int, ...]], Order] = {
    (4, (2, 3)): "channels_first",
    (4, (1, 2)): "channels_last",
    (3, (1,)): "tokens",
}


class AdoptedTrunk(nn.Module):
    """The part of a network up to its pooling; returns maps (B, C, h, w)."""

    def __init__(self, features: fx.GraphModule, layout: MapLayout) -> None:
        """Wrap the traced part, with the layout of its output."""
        super().__init__()
        self.features = features
        self.layout = layout

    def forward(self, images: Tensor) -> Tensor:
        """Return the features of images (B, 3, H, W) as maps."""
        return self.layout.to_maps(self.features(images))


def order_of(size: torch.Size, pooled: Sequence[int] | None) -> Order:
    """Return the order of features of a size, (B, ...), from the dimensions that are pooled."""
    dimensions = (2, 3) if pooled is None else tuple(dim % len(size) for dim in pooled)
    order = POOLED.get((len(size), dimensions))
    if order is None:
        raise GapnetError(f"its pooling of features {tuple(size[1:])} is not over a map or tokens")
    return order
