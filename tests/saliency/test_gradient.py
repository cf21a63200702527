"""Gradient maps, where the gradient is known in closed form."""

import torch
from torch import nn

from gapnet.models import Facts, FlatHead, GapNet
from gapnet.saliency.base import look
from gapnet.saliency.gradient import Gradient


def linear(width: int) -> GapNet:
    """Build a network that is linear in its image: S_c = w_c . I + b_c."""
    head = FlatHead(nn.Identity(), 3 * width * width, 4)
    return GapNet(nn.Identity(), head, Facts((width, width), (width, width))).eval()


def test_the_map_of_a_linear_network_is_its_largest_weight_over_channels() -> None:
    network = linear(6)
    seen = look(network, torch.randn(2, 3, 6, 6))
    classes = torch.tensor([[3, 0], [1, 2]])
    expected = network.head.linear.weight.view(4, 3, 6, 6).abs().amax(1)[classes]
    assert torch.equal(Gradient()(network, seen, classes), expected)


def test_it_works_where_gradients_are_switched_off_and_leaves_none_behind() -> None:
    network = linear(6)
    with torch.inference_mode():
        seen = look(network, torch.randn(2, 3, 6, 6))
        maps = Gradient()(network, seen, seen.logits.argmax(1, keepdim=True))
    assert maps.shape == (2, 1, 6, 6)
    assert not maps.requires_grad
    assert all(each.grad is None for each in network.parameters())
