"""Guided backpropagation (Springenberg, Dosovitskiy, Brox, Riedmiller, 2015), for ReLU networks."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction, FunctionCtx

from gapnet.models.gapnet import GapNet
from gapnet.saliency.base import Seen
from gapnet.saliency.gradient.backprop import map_image_gradients
from gapnet.saliency.gradient.relu_rules import Rectifying, check_rectifiers


class GuidedRelu(torch.autograd.Function):
    """Pass a gradient back where both it and the input are positive (their figure 1)."""

    @staticmethod
    def forward(ctx: FunctionCtx, given: Tensor) -> Tensor:
        """Rectify as ever."""
        ctx.save_for_backward(given > 0)
        return given.clamp(min=0)

    @staticmethod
    def backward(ctx: BackwardCFunction, gradient: Tensor) -> Tensor:
        """Rectify the gradient, and mask it as ever."""
        (active,) = ctx.saved_tensors
        return gradient.clamp(min=0) * active


@dataclass(frozen=True)
class GuidedBackprop:
    """Ask which pixels speak for a class: go back where units are active and gradients positive."""

    def __call__(self, network: GapNet, seen: Seen, classes: Tensor) -> Tensor:
        """Give maps (B, K, H, W) of the images' own size, as the gradient's."""
        with Rectifying(GuidedRelu.apply):
            return map_image_gradients(network, seen, classes)

    def check(self, network: GapNet) -> None:
        """Refuse a network that rectifies by another function."""
        check_rectifiers(network, "guided")

    def passes(self, classes: int, size: tuple[int, int]) -> int:
        """Count one forward, which is recorded, and one backward per class."""
        return 1 + classes
