"""Compares the logits of a network with those of the module that it was made of."""

import torch
from torch import Tensor, nn

from gapnet.models.surgery import in_eval

TOLERANCE = 1e-4  # of the largest logit; float32 sums in another order differ by less
IMAGES = 2  # random ones, on which the logits are compared


def random_images(module: nn.Module, *, channels: int, size: tuple[int, int]) -> Tensor:
    """Return images (2, C, H, W) on the device of a module, always the same."""
    like = next(module.parameters(), torch.empty(0))
    with torch.device("cpu"):
        generator = torch.Generator().manual_seed(0)
        return torch.randn(IMAGES, channels, *size, generator=generator).to(like)


def same_logits(module: nn.Module, network: nn.Module, images: Tensor) -> bool:
    """Return whether two networks give the same finite logits for images."""
    with torch.no_grad(), in_eval(module), in_eval(network):
        expected, logits = module(images), network(images)
    if expected.shape != logits.shape:
        return False
    scale = expected.abs().max()
    difference = (logits - expected).abs().max()
    return bool(torch.isfinite(scale)) and bool(difference <= TOLERANCE * scale)
