"""Pixels where bilinearly resized maps exceed thresholds, without resizing whole maps.

A value between four cells exceeds a threshold only if one of the cells does. So only the pixels
between such cells are computed, which are few if thresholds are high.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

MOST_VALUES = 2**23  # that are computed at once


class Axis(NamedTuple):
    """Pixels along one axis between every cell and the next, (cells, n), filled up with NaN.

    Args:
        pixels: their numbers.
        weights: of the next cell, from 0 to 1; beyond the outermost centres only the cell counts.
    """

    pixels: Tensor
    weights: Tensor


def pixels_above(maps: Tensor, thresholds: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return where maps (C, h, w), resized to `size` (H, W), exceed thresholds (C,).

    Returns:
        The maps' numbers, and the pixels' as row * W + column, in any order.

    >>> pixels_above(torch.tensor([[[0.0, 1.0]]]), torch.tensor([0.5]), (1, 4))
    (tensor([0, 0]), tensor([2, 3]))
    """
    near = _has_corner(maps > thresholds[:, None, None]).nonzero()
    rows, columns = (
        Axis(*(values.to(maps.device) for values in _axis(cells, pixels)))
        for cells, pixels in zip(maps.shape[1:], size, strict=True)
    )
    block = rows.pixels.shape[1] * columns.pixels.shape[1]
    parts = [
        _above(maps, thresholds, some, rows, columns, width=size[1])
        for some in torch.split(near, max(1, MOST_VALUES // block))
    ]
    units, places = zip(*parts, strict=True)
    return torch.cat(units), torch.cat(places)


def _has_corner(above: Tensor) -> Tensor:
    """Return between which cells (C, h, w) and the next ones there is one above."""
    lower = above.clone()
    lower[:, :-1] |= above[:, 1:]
    both = lower.clone()
    both[:, :, :-1] |= lower[:, :, 1:]
    return both


def _above(
    maps: Tensor, thresholds: Tensor, corners: Tensor, rows: Axis, columns: Axis, *, width: int
) -> tuple[Tensor, Tensor]:
    """Return units and pixels between the cells `corners` (n, 3) and the next ones."""
    unit, y, x = corners.unbind(1)
    below, right = (y + 1).clamp(max=maps.shape[1] - 1), (x + 1).clamp(max=maps.shape[2] - 1)
    across, down = columns.weights[x], rows.weights[y]
    top = torch.lerp(maps[unit, y, x, None], maps[unit, y, right, None], across)
    bottom = torch.lerp(maps[unit, below, x, None], maps[unit, below, right, None], across)
    values = torch.lerp(top[:, None], bottom[:, None], down[..., None])
    corner, row, column = _true(values > thresholds[unit, None, None])
    places = rows.pixels[y[corner], row] * width + columns.pixels[x[corner], column]
    return unit[corner], places


def _true(mask: Tensor) -> tuple[Tensor, ...]:
    """Return the indices of true values; on the CPU numpy is faster."""
    if mask.device.type != "cpu":
        return mask.nonzero(as_tuple=True)
    flat = np.flatnonzero(mask.numpy())
    return tuple(map(torch.from_numpy, np.unravel_index(flat, mask.shape)))


@cache
def _axis(cells: int, pixels: int) -> Axis:
    """Return the pixels between the centres of cells; a cell is pixels / cells long."""
    centres = (np.arange(pixels) + 0.5) * cells / pixels - 0.5
    position = centres.clip(0, cells - 1)
    cell = position.astype(np.int64)
    most = max(1, int(np.bincount(cell).max()))
    numbers, weights = np.zeros((cells, most), np.int64), np.full((cells, most), np.nan, np.float32)
    order = np.arange(pixels) - np.searchsorted(cell, cell)  # among those of its cell
    numbers[cell, order], weights[cell, order] = np.arange(pixels), position - cell
    return Axis(torch.from_numpy(numbers), torch.from_numpy(weights))
