"""The deconvolutional network (Zeiler, Fergus, 2014), for ReLU networks."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

from gapnet.models.gapnet import GapNet
from gapnet.saliency.base import Seen
from gapnet.saliency.gradient.backprop import map_image_gradients
from gapnet.saliency.gradient.relu_rules import Rectifying, check_rectifiers


class DeconvnetRelu(torch.autograd.Function):
    """Pass back what is positive of a gradient, wherever the input was (their section 2.1)."""

    @staticmethod
    def forward(ctx: FunctionCtx, given: Tensor) -> Tensor:  # noqa: ARG004
        """Rectify as ever."""
        return given.clamp(min=0)

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> Tensor:  # noqa: ARG004
        """Rectify the gradient alone."""
        return gradient.clamp(min=0)


@dataclass(frozen=True)
class Deconvnet:
    """Ask which pixels speak for a class: go back through the network, rectifying on the way."""

    def __call__(self, network: GapNet, seen: Seen, classes: Tensor) -> Tensor:
        """Give maps (B, K, H, W) of the images' own size, as the gradient's."""
        with Rectifying(DeconvnetRelu.apply):
            return map_image_gradients(network, seen, classes)

    def check(self, network: GapNet) -> None:
        """Refuse a network that rectifies by another function."""
        check_rectifiers(network, "deconvnet")

    def passes(self, classes: int, size: tuple[int, int]) -> int:
        """Count one forward, which is recorded, and one backward per class."""
        return 1 + classes
