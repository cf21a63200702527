"""Poolings of a layer's maps (B, C, h, w) to vectors (B, C)."""

from collections.abc import Callable

import torch
from torch import Tensor

SIDES = (-2, -1)
PRIOR = 1 / 3  # SPoC's standard deviation: a share of the centre's distance to the border
CROW = "crow"


def spoc(maps: Tensor) -> Tensor:
    """Return SPoC's sum with a centre prior (Babenko and Lempitsky 2015, section 3.2).

    The prior is a Gaussian whose standard deviation is a third of the distance between the centre
    and the nearest border.
    """
    height, width = maps.shape[-2:]
    sigma = PRIOR * min(height, width) / 2
    down, across = (
        (torch.arange(side, dtype=maps.dtype, device=maps.device) - (side - 1) / 2) ** 2
        for side in (height, width)
    )
    prior = torch.exp(-(down[:, None] + across) / (2 * sigma**2))
    return (maps * prior).sum(SIDES)


def crow(maps: Tensor) -> Tensor:
    """Return CroW's sum, weighted by position and channel (Kalantidis et al. 2016, section 3).

    A position counts by the root of its sum over channels, and a channel by the logarithm of how
    rarely it is above 0. Maps must not have negative values.
    """
    return (maps * _spatial_weight(maps)).sum(SIDES) * _channel_weight(maps)


def _spatial_weight(maps: Tensor) -> Tensor:
    """Return (S / ||S||)^(1/2) of S, the sums over channels: (B, 1, h, w)."""
    sums = maps.sum(1, keepdim=True)
    norms = sums.square().sum(SIDES, keepdim=True).sqrt()
    return (sums / norms.clamp(min=torch.finfo(maps.dtype).tiny)).sqrt()


def _channel_weight(maps: Tensor) -> Tensor:
    """Return log(sum of Q / Q_k) of Q_k, the share of channel k above 0; 0 if it never is."""
    shares = (maps > 0).to(maps.dtype).mean(SIDES)
    weights = torch.log(shares.sum(1, keepdim=True) / shares)
    return torch.where(shares > 0, weights, 0.0)


POOLINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda maps: maps.mean(SIDES),
    "sum": lambda maps: maps.sum(SIDES),
    "max": lambda maps: maps.amax(SIDES),
    "spoc": spoc,
    CROW: crow,
}
