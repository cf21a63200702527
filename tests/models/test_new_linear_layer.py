"""A network with another linear layer."""

from pathlib import Path

import pytest
import torch

from gapnet.models import create, gapify, load
from gapnet.models.new_linear_layer import with_linear
from gapnet.models.saved import save
from tests.models.conftest import SIDE, thin_network
from tests.refusals import refused

CLASSES = 3


def new_layer(width: int) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(CLASSES, width).double(), torch.randn(CLASSES).double()


@pytest.mark.parametrize("name", ["tiny_gap", "resnet18_gap", "alexnet_gap"])
def test_mean_of_a_new_class_s_map_plus_bias_is_its_decision_value(name: str) -> None:
    network = thin_network(name)
    weight, bias = new_layer(network.head.linear.in_features)
    changed = with_linear(network, weight, bias=bias)
    images = torch.randn(2, 3, SIDE, SIDE).double()
    features = network.forward_features(images)
    decisions = features.mean((2, 3)) @ weight.T + bias
    maps = changed.class_maps(features, torch.arange(CLASSES).expand(2, -1))
    torch.testing.assert_close(maps.mean((2, 3)) + bias, decisions)
    torch.testing.assert_close(changed(images), decisions)
    assert network.num_classes == 7


def test_it_is_saved_and_loaded_with_its_classes(tmp_path: Path) -> None:
    network = create("tiny_gap", {"num_classes": 5, "input_size": 16}).eval()
    weight, bias = (values.float() for values in new_layer(64))
    changed = with_linear(network, weight, bias=bias, classes=["x", "y", "z"])
    save(changed, tmp_path)
    loaded = load(tmp_path)
    images = torch.randn(2, 3, 16, 16)
    assert loaded.classes == ("x", "y", "z")
    assert torch.equal(loaded(images), changed(images))


def test_a_network_of_the_user_s_own_code_is_changed_as_well() -> None:
    module = torch.nn.Conv2d(3, 4, 1)
    network = gapify(module, num_classes=2, width=None, input_size=8)
    assert with_linear(network, torch.ones(6, 4), bias=torch.zeros(6)).num_classes == 6


def test_arrays_that_do_not_fit_are_refused() -> None:
    network = thin_network("tiny_gap")
    with refused("(3, 9)", "(classes, 8)", "tiny_gap"):
        with_linear(network, torch.ones(3, 9), bias=torch.zeros(3))
    with refused("(4,)", "(classes,)"):
        with_linear(network, torch.ones(3, 8), bias=torch.zeros(4))


def test_a_network_whose_features_are_its_logits_is_refused() -> None:
    network = create("published", {"num_classes": 4, "name": "torchvision/squeezenet1_1"})
    with refused("published"):
        with_linear(network, torch.ones(9, 4), bias=torch.zeros(9))


def test_a_network_that_pools_its_class_maps_is_refused() -> None:
    network = thin_network("tiny_gap", pool="max")
    with refused("pool=max", "tiny_gap"):
        with_linear(network, torch.ones(2, 8), bias=torch.zeros(2))
