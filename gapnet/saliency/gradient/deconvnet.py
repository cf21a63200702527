"""The deconvolutional network (Zeiler, Fergus, 2014), for ReLU networks."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

from gapnet.saliency.base import Seen, Targets
from gapnet.saliency.gradient.backprop import map_image_gradients
from gapnet.saliency.gradient.relu_rules import Rectifying, check_activations

if TYPE_CHECKING:
    from gapnet.models.gapnet import GapNet


class DeconvnetRelu(torch.autograd.Function):
    """ReLU that passes back the positive part of a gradient, whatever its input (section 2.1)."""

    @staticmethod
    def forward(ctx: FunctionCtx, values: Tensor) -> Tensor:  # noqa: ARG004
        """Return max(x, 0)."""
        return values.clamp(min=0)

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> Tensor:  # noqa: ARG004
        """Rectify the gradient, without the mask of the input."""
        return gradient.clamp(min=0)


@dataclass(frozen=True)
class Deconvnet:
    """Image gradient that is rectified at every ReLU on its way back."""

    def __call__(self, network: "GapNet", seen: Seen, targets: Targets) -> Tensor:
        """Return maps (B, K, H, W) of the images' size; every target takes a backward pass."""
        with Rectifying(DeconvnetRelu.apply):
            return map_image_gradients(network, seen.images, targets)

    def check(self, network: "GapNet") -> None:
        """Raise an error if the network has activations other than ReLU."""
        check_activations(network, "deconvnet")

    def passes(self, targets: int, size: tuple[int, int]) -> int:
        """Count one forward pass, which is recorded, and one backward pass per target."""
        return 1 + targets
