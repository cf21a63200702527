"""Guided backpropagation (Springenberg, Dosovitskiy, Brox, Riedmiller, 2015), for ReLU networks."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction, FunctionCtx

from gapnet.saliency.base import Seen, Targets
from gapnet.saliency.gradient.backprop import map_image_gradients
from gapnet.saliency.gradient.relu_rules import Rectifying, check_activations

if TYPE_CHECKING:
    from gapnet.models.gapnet import GapNet


class GuidedRelu(torch.autograd.Function):
    """ReLU that passes a gradient back where both it and the input are positive (figure 1)."""

    @staticmethod
    def forward(ctx: FunctionCtx, values: Tensor) -> Tensor:
        """Return max(x, 0)."""
        ctx.save_for_backward(values > 0)
        return values.clamp(min=0)

    @staticmethod
    def backward(ctx: BackwardCFunction, gradient: Tensor) -> Tensor:
        """Rectify the gradient, and mask it as a ReLU does."""
        (active,) = ctx.saved_tensors
        return gradient.clamp(min=0) * active


@dataclass(frozen=True)
class GuidedBackprop:
    """Image gradient that passes back only where units are active and gradients positive."""

    def __call__(self, network: "GapNet", seen: Seen, targets: Targets) -> Tensor:
        """Return maps (B, K, H, W) of the images' size; every target takes a backward pass."""
        with Rectifying(GuidedRelu.apply):
            return map_image_gradients(network, seen.images, targets)

    def check(self, network: "GapNet") -> None:
        """Raise an error if the network has activations other than ReLU."""
        check_activations(network, "guided")

    def passes(self, targets: int, size: tuple[int, int]) -> int:
        """Count one forward pass, which is recorded, and one backward pass per target."""
        return 1 + targets
