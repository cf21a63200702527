"""Class maps (section 2 of the paper) as pure functions."""

import torch
from torch import Tensor

from gapnet.ops.upsampling import resize


def class_map(features: Tensor, weights: Tensor) -> Tensor:
    """Sum the feature maps, weighted by class: M_c(x, y) = sum_k w_k^c f_k(x, y), equation 2.

    Args:
        features: f, (B, C, h, w).
        weights: w^c of K classes per image, (B, K, C).

    Returns:
        M, (B, K, h, w).

    >>> class_map(torch.ones(1, 2, 1, 1), torch.tensor([[[3.0, 4.0]]])).item()
    7.0
    """
    return torch.einsum("bchw,bkc->bkhw", features, weights)


def upsample(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize maps (K, h, w) to `size` (height, width), bilinear between the cells' centres."""
    return resize(maps, size)


def normalise(maps: Tensor) -> Tensor:
    """Divide maps (..., h, w) by their maximum and clamp at 0; a map without positive values is 0.

    >>> normalise(torch.tensor([[[-1.0, 2.0, 4.0]], [[-3.0, -2.0, 0.0]]])).tolist()
    [[[0.0, 0.5, 1.0]], [[0.0, 0.0, 0.0]]]
    """
    highest = maps.amax((-2, -1), keepdim=True)
    return torch.where(highest > 0, maps.clamp(min=0) / highest, torch.zeros_like(maps))


def map_on_image(heat: Tensor, window: Tensor, size: tuple[int, int]) -> Tensor:
    """Return a normalised map (h, w) of a window (4,) on an image of `size`; 0 outside the window.

    The window has edges x1, y1, x2, y2 in pixels of the image, and may reach beyond it.
    """
    x1, y1, x2, y2 = window.round().int().tolist()
    window_map = normalise(upsample(heat[None].float().cpu(), (max(1, y2 - y1), max(1, x2 - x1))))[
        0
    ]
    image_map = torch.zeros(size)
    top, left, bottom, right = max(y1, 0), max(x1, 0), min(y2, size[0]), min(x2, size[1])
    image_map[top:bottom, left:right] = window_map[top - y1 : bottom - y1, left - x1 : right - x1]
    return image_map
