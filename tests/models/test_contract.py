"""What every registered network promises."""

import inspect
import json
import pickle

import pytest
import torch

from gapnet.models import GapNet, create, names, registry

CLASSES = 7


def build(name: str, pool: str) -> GapNet:
    network = create(name, {"num_classes": CLASSES, "pool": pool})
    return network.double().eval()


def images(network: GapNet, count: int = 2) -> torch.Tensor:
    return torch.randn(count, 3, *network.facts.input_size, dtype=torch.float64)


every_network = pytest.mark.parametrize("name", names())
both_pools = pytest.mark.parametrize("pool", ["avg", "max"])


@every_network
@both_pools
def test_pooled_class_map_plus_bias_is_the_logit(name: str, pool: str) -> None:
    network = build(name, pool)
    features = network.forward_features(images(network))
    logits = network.forward_head(features)
    every_class = torch.arange(CLASSES).expand(2, -1)
    maps = network.class_maps(features, every_class)
    pooled = maps.mean((-2, -1)) if pool == "avg" else maps.amax((-2, -1))
    torch.testing.assert_close(pooled + network.head.linear.bias, logits, atol=1e-12, rtol=1e-12)


@every_network
@both_pools
def test_forward_is_features_then_head(name: str, pool: str) -> None:
    network = build(name, pool)
    batch = images(network)
    torch.testing.assert_close(
        network(batch), network.forward_head(network.forward_features(batch))
    )
    assert network(batch).shape == (2, CLASSES)


@every_network
def test_class_maps_are_those_of_the_classes_asked_for(name: str) -> None:
    network = build(name, "avg")
    features = network.forward_features(images(network))
    every_class = network.class_maps(features, torch.arange(CLASSES).expand(2, -1))
    asked = torch.tensor([[5, 0], [3, 3]])
    maps = network.class_maps(features, asked)
    for image in range(2):
        torch.testing.assert_close(maps[image], every_class[image, asked[image]])


@every_network
def test_the_map_has_the_declared_size(name: str) -> None:
    network = build(name, "avg")
    assert network.forward_features(images(network)).shape[-2:] == network.facts.map_size


@every_network
@both_pools
def test_the_gradient_reaches_the_first_layer(name: str, pool: str) -> None:
    network = build(name, pool).train()
    network(images(network)).square().sum().backward()
    gradient = next(network.parameters()).grad
    assert gradient is not None
    assert gradient.abs().sum() > 0


@every_network
@both_pools
def test_its_name_and_plain_arguments_rebuild_it(name: str, pool: str) -> None:
    network = build(name, pool)
    arguments = json.loads(json.dumps(network.arguments))
    again = create(network.name, arguments).double().eval()
    again.load_state_dict(network.state_dict())
    batch = images(network)
    assert torch.equal(again(batch), network(batch))


@every_network
def test_its_weights_hold_no_constants(name: str) -> None:
    assert not {"mean", "std"} & set(build(name, "avg").state_dict())


@every_network
def test_channels_last_and_bf16_stay_near(name: str) -> None:
    network = create(name, {"num_classes": CLASSES}).eval()
    batch = images(network).float()
    expected = network(batch)
    network = network.to(memory_format=torch.channels_last)
    last = batch.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(network(last), expected, atol=1e-4, rtol=1e-4)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(network(last).float(), expected, atol=0.05, rtol=0.05)


@every_network
def test_every_argument_but_the_classes_has_a_default(name: str) -> None:
    parameters = inspect.signature(registry._BUILDERS[name]).parameters.values()
    assert [each.name for each in parameters if each.default is each.empty] == ["num_classes"]


@every_network
def test_normalise_turns_bytes_into_zero_mean(name: str) -> None:
    network = create(name, {"num_classes": CLASSES})
    grey = torch.tensor(network.facts.mean).mul(255).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    assert network.normalise(grey).abs().max() < 1e-5


@every_network
def test_a_network_survives_pickling_to_a_worker(name: str) -> None:
    assert pickle.loads(pickle.dumps(create(name, {"num_classes": CLASSES}))).name == name
