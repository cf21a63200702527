"""The gradient of a class's score (Simonyan, Vedaldi, Zisserman, 2014), for any network."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gapnet.models.gapnet import GapNet
from gapnet.saliency.base import Seen


@dataclass(frozen=True)
class Gradient:
    """Ask which pixels a score hangs on: M_c(x, y) = max over channels of |dS_c / dI(x, y)|."""

    def __call__(self, network: GapNet, seen: Seen, classes: Tensor) -> Tensor:
        """Give maps (B, K, H, W) of the images' own size; each class takes a backward pass."""
        with torch.inference_mode(mode=False), torch.enable_grad():
            images = seen.images.clone().requires_grad_()
            scores = network(images).gather(1, classes.clone()).sum(0)
            maps = [
                torch.autograd.grad(score, images, retain_graph=True)[0].abs().amax(1)
                for score in scores
            ]
        return torch.stack(maps, 1).detach()

    def check(self, network: GapNet) -> None:
        """Take every network."""
