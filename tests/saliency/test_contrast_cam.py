"""Class maps minus their mean over all classes."""

from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from gapnet.models import GapNet
from gapnet.models.heads import AdoptedHead, Pool
from gapnet.saliency import Cam, ContrastCam, Margin, look
from tests.models.conftest import thin_network
from tests.refusals import refused
from tests.saliency.conftest import CLASSES, SIDE, flat_network, tiny_network


def normed_network() -> GapNet:
    """Build a network whose classifier has a layer norm after the pooling, as ConvNeXt has."""
    network = tiny_network()
    width = network.head.linear.in_features
    norm = nn.LayerNorm(width)
    nn.init.normal_(norm.weight)
    head = AdoptedHead(nn.Linear(width, CLASSES), norm, channels=width, pool="avg")
    head.conv = network.head.conv
    network.head = head
    return network.double().eval()


BUILDERS: list[Callable[[], GapNet]] = [
    *(lambda pool=pool: tiny_network(pool=pool) for pool in get_args(Pool)),
    normed_network,
]


def maps_of(network: GapNet, images: Tensor, classes: Tensor) -> Tensor:
    with torch.no_grad():
        return ContrastCam()(network, look(network, images), classes)


@pytest.mark.parametrize("build", BUILDERS, ids=["avg", "max", "max_unit", "norm"])
def test_it_is_the_class_map_minus_the_mean_over_all_classes(build: Callable[[], GapNet]) -> None:
    network, classes = build(), torch.tensor([[3, 0], [1, 1]])
    images = torch.randn(2, 3, SIDE, SIDE).double()
    with torch.no_grad():
        every = Cam()(network, look(network, images), torch.arange(CLASSES).expand(2, -1)).numpy()
    maps = maps_of(network, images, classes).numpy()
    for image, place in np.ndindex(2, 2):
        expected = every[image, classes[image, place]] - sum(every[image]) / CLASSES
        np.testing.assert_allclose(maps[image, place], expected, rtol=1e-9, atol=1e-12)


def test_its_mean_is_the_logit_minus_the_mean_logit_without_biases() -> None:
    network = thin_network("resnet18_gap")
    nn.init.normal_(network.head.linear.bias)
    images = torch.randn(2, 3, *network.facts.input_size).double()
    every = torch.arange(network.num_classes).expand(2, -1)
    with torch.no_grad():
        logits = network(images) - network.head.bias
    expected = logits - logits.mean(1, keepdim=True)
    assert_close(maps_of(network, images, every).mean((-2, -1)), expected)


def test_weights_that_all_classes_share_change_it_as_little_as_the_probabilities() -> None:
    network, classes = tiny_network(), torch.tensor([[3, 0]])
    images = torch.randn(1, 3, SIDE, SIDE).double()
    before, shares = maps_of(network, images, classes), network(images).softmax(1)
    with torch.no_grad():
        network.head.linear.weight += torch.randn(network.head.linear.in_features)
    assert_close(maps_of(network, images, classes), before)
    assert_close(network(images).softmax(1), shares)


def test_networks_without_class_maps_or_with_one_class_are_refused() -> None:
    with refused("saliency=grad_cam"):
        ContrastCam().check(flat_network(nn.ReLU()))
    with refused("saliency=contrast_cam", "saliency=cam"):
        ContrastCam().check(tiny_network(num_classes=1))


def test_it_takes_classes_only() -> None:
    network = tiny_network()
    seen = look(network, torch.randn(1, 3, SIDE, SIDE).double())
    with refused("saliency=contrast_cam", "saliency=grad_cam"):
        ContrastCam()(network, seen, [Margin(0, 1)])
