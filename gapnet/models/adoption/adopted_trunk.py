"""The trunk of a published network, with its features as maps."""

from collections.abc import Sequence
from math import isqrt
from typing import Literal

import torch
from torch import Tensor, fx, nn

from gapnet.errors import GapnetError

# Order of the dimensions of features: channels first, channels last, or one token per cell
Order = Literal["channels_first", "channels_last", "tokens"]
POOLED: dict[tuple[int, tuple[int, ...]], Order] = {
    (4, (2, 3)): "channels_first",
    (4, (1, 2)): "channels_last",
    (3, (1,)): "tokens",
}


class AdoptedTrunk(nn.Module):
    """The part of a network up to its pooling; returns maps (B, C, h, w).

    Args:
        features: the traced part.
        order: of the dimensions of its output.
        grid: (rows, columns) of the tokens, if it returns tokens.
    """

    def __init__(
        self, features: fx.GraphModule, order: Order, grid: tuple[int, int] | None = None
    ) -> None:
        """Wrap the traced part."""
        super().__init__()
        self.features = features
        self.order = order
        self.grid = grid

    def forward(self, images: Tensor) -> Tensor:
        """Return the features of images (B, 3, H, W) as maps."""
        output: Tensor = self.features(images)
        if self.order == "channels_last":
            return output.permute(0, 3, 1, 2)
        if self.grid is not None:
            return output.transpose(1, 2).reshape(len(output), -1, *self.grid)
        return output


def order_of(size: torch.Size, pooled: Sequence[int] | None) -> Order:
    """Return the order of features of a size, (B, ...), from the dimensions that are pooled."""
    dimensions = (2, 3) if pooled is None else tuple(dim % len(size) for dim in pooled)
    order = POOLED.get((len(size), dimensions))
    if order is None:
        raise GapnetError(f"its pooling of features {tuple(size[1:])} is not over a map or tokens")
    return order


def grid_of(module: nn.Module, tokens: int) -> tuple[int, int]:
    """Return the rows and columns of a network's tokens."""
    for part in module.modules():
        grid = getattr(part, "grid_size", None)
        if isinstance(grid, tuple) and len(grid) == 2 and grid[0] * grid[1] == tokens:  # noqa: PLR2004
            return grid[0], grid[1]
    side = isqrt(tokens)
    if side * side != tokens:
        raise GapnetError(f"its {tokens} tokens do not form a known grid")
    return side, side
