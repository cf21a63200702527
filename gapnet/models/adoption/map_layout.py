"""Orders in which networks keep the cells of their maps."""

from dataclasses import dataclass
from math import isqrt
from typing import Literal

import torch
from torch import Tensor, nn

from gapnet.errors import GapnetError

# Order of the dimensions of features: channels first, channels last, or one token per cell
Order = Literal["channels_first", "channels_last", "tokens"]
MAP_DIMENSIONS, TOKEN_DIMENSIONS = 4, 3
MOST_PREFIX = 16  # tokens before those of the cells: class and register tokens


@dataclass(frozen=True)
class MapLayout:
    """How features are arranged.

    Args:
        order: of the dimensions.
        grid: (rows, columns) of the cells.
        prefix: number of tokens before those of the cells.
    """

    order: Order
    grid: tuple[int, int]
    prefix: int = 0

    def to_maps(self, features: Tensor) -> Tensor:
        """Return features as maps (B, C, h, w), without the prefix."""
        if self.order == "channels_last":
            return features.permute(0, 3, 1, 2)
        if self.order == "tokens":
            cells = features[:, self.prefix :].transpose(1, 2)
            return cells.reshape(len(features), -1, *self.grid)
        return features

    def from_maps(self, maps: Tensor, prefix: Tensor) -> Tensor:
        """Return maps (B, C, h, w) in the order of the features, behind prefix tokens (B, P, C)."""
        if self.order == "channels_last":
            return maps.permute(0, 2, 3, 1)
        if self.order == "tokens":
            return torch.cat([prefix, maps.flatten(2).transpose(1, 2)], 1)
        return maps

    def prefix_of(self, features: Tensor) -> Tensor:
        """Return the tokens (B, P, C) before those of the cells; other orders have none."""
        return features[:, : self.prefix]


def grid_of(module: nn.Module, tokens: int, *, most_prefix: int = 0) -> tuple[int, int]:
    """Return the rows and columns of a network's tokens, of which a few may be a prefix."""
    for part in module.modules():
        grid = getattr(part, "grid_size", None)
        if (
            isinstance(grid, tuple)
            and len(grid) == 2  # noqa: PLR2004
            and 0 <= tokens - grid[0] * grid[1] <= most_prefix
        ):
            return grid[0], grid[1]
    side = isqrt(tokens)
    if tokens - side * side > most_prefix:
        raise GapnetError(f"its {tokens} tokens do not form a known grid")
    return side, side


def guess_layout(
    module: nn.Module, size: torch.Size, image_size: tuple[int, int]
) -> MapLayout | None:
    """Return how features of a size (B, ...) are arranged; None if they are not maps.

    Maps have the shape of the image, and at most half of its sides.
    """
    if len(size) == TOKEN_DIMENSIONS:
        try:
            grid = grid_of(module, size[1], most_prefix=MOST_PREFIX)
        except GapnetError:
            return None
        layout = MapLayout("tokens", grid, size[1] - grid[0] * grid[1])
    elif len(size) == MAP_DIMENSIONS:
        last = (size[1], size[2])
        is_last = _fits(last, image_size) and not _fits((size[2], size[3]), image_size)
        layout = (
            MapLayout("channels_last", last)
            if is_last
            else MapLayout("channels_first", (size[2], size[3]))
        )
    else:
        return None
    return layout if _fits(layout.grid, image_size) else None


def _fits(grid: tuple[int, int], image_size: tuple[int, int]) -> bool:
    """Return whether a grid has more than one cell and the shape of the image, to a cell."""
    (rows, columns), (height, width) = grid, image_size
    return (
        rows * columns > 1
        and 2 * rows <= height
        and 2 * columns <= width
        and abs(rows - columns * height / width) <= 1
    )
