"""Vectors of layers, against torchvision's feature extractor and numpy."""

import numpy as np
import pytest
import torch
import torchvision
from torch import Tensor
from torchvision.models.feature_extraction import create_feature_extractor

from gapnet.models import create
from gapnet.transfer.extract import vector_sizes
from gapnet.transfer.layers import Layer, layer_vectors
from tests.models.conftest import SIDE, thin_network
from tests.refusals import refused

NUMPY = {"mean": np.mean, "sum": np.sum, "max": np.max}


def images(seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, 3, SIDE, SIDE, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("pool", NUMPY)
def test_maps_are_pooled_as_numpy_pools_torchvision_s_features(pool: str) -> None:
    network = thin_network("resnet18_gap")
    layer = Layer("trunk.layer2", pool)
    (found,) = layer_vectors(network, images(), [layer]).values()
    theirs = create_feature_extractor(network.trunk, ["layer2"])(images())["layer2"]
    expected = NUMPY[pool](theirs.detach().numpy(), axis=(2, 3))
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=2e-6, atol=1e-6)


def test_fc6_and_fc7_of_alexnet_are_those_of_torchvision() -> None:
    network = thin_network("alexnet")
    layers = [Layer("head.layers.2"), Layer("head.layers.5", "none")]
    found = layer_vectors(network, images(), layers)
    theirs = torchvision.models.AlexNet().classifier
    assert [type(theirs[index]).__name__ for index in (2, 5)] == ["ReLU", "ReLU"]
    extractor = create_feature_extractor(network.head.layers, ["2", "5"])
    flat = network.forward_features(images()).flatten(1)
    for layer, expected in zip(layers, extractor(flat).values(), strict=True):
        torch.testing.assert_close(found[layer].double(), expected, rtol=1e-6, atol=1e-6)


def test_a_layer_s_own_output_is_taken_before_the_network_changes_it_in_place() -> None:
    network = thin_network("alexnet")
    linear, rectified = Layer("head.layers.1"), Layer("head.layers.2")
    found = layer_vectors(network, images(), [linear, rectified])
    assert (found[linear] < 0).any()
    assert torch.equal(found[linear].relu(), found[rectified])


@pytest.mark.parametrize("name", ["resnet18_gap", "tiny_gap"])
def test_gap_is_the_mean_of_the_features(name: str) -> None:
    network = thin_network(name)
    features = network.forward_features(images())
    (gap,) = layer_vectors(network, images(), [Layer("gap")]).values()
    expected = features.detach().numpy().mean((2, 3))
    np.testing.assert_allclose(gap.detach().numpy(), expected, rtol=1e-6, atol=1e-6)


def test_the_linear_layer_takes_the_gap_vector_of_a_network_with_a_norm() -> None:
    network = create("published", {"num_classes": 4, "name": "timm/test_convnext"}).eval()
    side = network.facts.input_size[0]
    some = torch.randn(2, 3, side, side)
    (gap,) = layer_vectors(network, some, [Layer("gap")]).values()
    torch.testing.assert_close(network.head.linear(gap), network(some))


def test_several_poolings_of_one_layer_and_gap_come_from_one_pass() -> None:
    network = thin_network("tiny_gap")
    runs = []
    layers = [Layer("trunk.1", "max"), Layer("trunk.1", "mean"), Layer("gap")]
    hook = network.trunk.register_forward_hook(lambda *_: runs.append(1))
    found = layer_vectors(network, images(), layers)
    hook.remove()
    assert (list(found), len(runs)) == (layers, 1)
    assert vector_sizes(network, layers) == {"trunk.1:max": 6, "trunk.1:mean": 6, "gap": 8}


@pytest.mark.parametrize(
    ("network", "layer", "parts"),
    [
        ("tiny_gap", "trunk.9", ["layer='trunk.9'"]),
        ("tiny_gap", "trunk.1:median", ["trunk.1:pool=median", "mean", "sum", "max", "none"]),
        ("tiny_gap", "trunk.1:none", ["layer=trunk.1:none", "mean", "sum", "max"]),
        ("tiny_gap", "gap:max", ["layer=gap:max"]),
        ("alexnet", "head.layers.2:mean", ["layer=head.layers.2:mean", "none"]),
        ("alexnet", "gap", ["alexnet"]),
    ],
)
def test_a_layer_that_gives_no_such_vector_is_named(
    network: str, layer: str, parts: list[str]
) -> None:
    with refused(*parts):
        vector_sizes(thin_network(network), [Layer.of(layer)])


def test_gap_of_pooled_class_maps_is_refused() -> None:
    with refused("pool=max", "max_unit"):
        vector_sizes(thin_network("tiny_gap", pool="max"), [Layer("gap")])
