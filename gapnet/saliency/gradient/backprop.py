"""Gradients of the scores of targets, one target after the other."""

from collections.abc import Callable

import torch
from torch import Tensor

from gapnet.saliency.base import Targets, score_targets, single

Step = Callable[[Tensor], Tensor]


def map_gradients(scorer: Step, inputs: Tensor, targets: Targets, to_map: Step) -> Tensor:
    """Map every target by the gradient of its score, whether or not the caller records gradients.

    Args:
        scorer: turns the inputs into outputs (B, ...), every image by itself; with
            `gapnet.models.layer_output(network, name)` targets are of an inner layer.
        inputs: images or features, (B, C, h, w).
        targets: classes (B, K), or K others.
        to_map: turns the gradient (B, C, h, w) of one target per image into a map (B, h, w).

    Returns:
        Maps (B, K, h, w).
    """
    # It may hold weights cast under inference_mode, which cannot be recorded (pytorch #165068)
    torch.clear_autocast_cache()
    with torch.inference_mode(mode=False), torch.enable_grad():
        inputs = inputs.detach().clone().requires_grad_()
        scores = score_targets(scorer(inputs), targets).sum(0)
        maps = single(inputs.new_empty(len(inputs), len(scores), *inputs.shape[-2:]))
        for place, score in enumerate(scores):
            (gradient,) = torch.autograd.grad(score, inputs, retain_graph=True)
            maps[:, place] = to_map(single(gradient))
    return maps


def map_image_gradients(scorer: Step, images: Tensor, targets: Targets) -> Tensor:
    """Map targets by the largest channel of the gradient of images (B, 3, H, W): (B, K, H, W)."""
    return map_gradients(scorer, images, targets, lambda gradient: gradient.abs().amax(1))
