"""Ten crops of an image, and how their maps are placed on the image again."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from gapnet.ops.maps import upsample


class Crop(NamedTuple):
    """The first row and column of a crop, and whether it is mirrored."""

    top: int
    left: int
    mirrored: bool


def ten_crops(canvas: tuple[int, int], size: tuple[int, int]) -> list[Crop]:
    """Return crops of `size` in the corners and the middle of a canvas, then the mirrored ones.

    >>> [tuple(crop) for crop in ten_crops((4, 6), (2, 2))[:5]]
    [(0, 0, False), (0, 4, False), (2, 0, False), (2, 4, False), (1, 2, False)]
    """
    bottom, right = canvas[0] - size[0], canvas[1] - size[1]
    middle = (round(bottom / 2), round(right / 2))
    corners = [(0, 0), (0, right), (bottom, 0), (bottom, right), middle]
    return [Crop(*corner, mirrored) for mirrored in (False, True) for corner in corners]


def take(images: Tensor, crop: Crop, size: tuple[int, int]) -> Tensor:
    """Cut a crop out of images (..., H, W): (..., *size)."""
    height, width = size
    part = images[..., crop.top : crop.top + height, crop.left : crop.left + width]
    return part.flip(-1) if crop.mirrored else part


def put_back(maps: Tensor, crop: Crop, size: tuple[int, int], canvas: tuple[int, int]) -> Tensor:
    """Place the maps of a crop (K, h, w) on the canvas: (K, *canvas), 0 outside the crop."""
    whole = upsample(maps, size)
    upright = whole.flip(-1) if crop.mirrored else whole
    below, beside = canvas[0] - crop.top - size[0], canvas[1] - crop.left - size[1]
    return pad(upright, (crop.left, beside, crop.top, below))


def coverage(crops: Sequence[Crop], size: tuple[int, int], canvas: tuple[int, int]) -> Tensor:
    """Return how many crops cover every pixel, (H, W); 1 where none does."""
    ones = torch.ones(1, *size)
    return torch.cat([put_back(ones, crop, size, canvas) for crop in crops]).sum(0).clamp(min=1)
