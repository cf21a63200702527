"""Gradients of the scores of classes, one class after the other."""

from collections.abc import Callable

import torch
from torch import Tensor

from gapnet.models.gapnet import GapNet
from gapnet.saliency.base import Seen, single

Step = Callable[[Tensor], Tensor]


def map_gradients(scorer: Step, given: Tensor, classes: Tensor, to_map: Step) -> Tensor:
    """Map each class by the gradient of its score, in whatever mode the caller works.

    Args:
        scorer: turns what is given into logits (B, N), each image by itself.
        given: images or features, (B, C, h, w).
        classes: (B, K).
        to_map: turns the gradient (B, C, h, w) of one class per image into a map (B, h, w).

    Returns:
        Maps (B, K, h, w).
    """
    # It may hold weights cast under inference_mode, which cannot be recorded (pytorch #165068)
    torch.clear_autocast_cache()
    with torch.inference_mode(mode=False), torch.enable_grad():
        given = given.detach().clone().requires_grad_()
        scores = scorer(given).gather(1, classes.clone()).sum(0)
        maps = single(given.new_empty(len(given), len(scores), *given.shape[-2:]))
        for place, score in enumerate(scores):
            (gradient,) = torch.autograd.grad(score, given, retain_graph=True)
            maps[:, place] = to_map(single(gradient))
    return maps


def map_image_gradients(network: GapNet, seen: Seen, classes: Tensor) -> Tensor:
    """Map classes (B, K) by their image gradients' largest channel: (B, K, H, W)."""
    return map_gradients(network, seen.images, classes, lambda gradient: gradient.abs().amax(1))
