"""What every registered network promises."""

import inspect
import pickle
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from gapnet.models import CamHead, GapNet, create, names
from gapnet.models.builders import BUILDERS
from gapnet.models.saved import load, save
from gapnet.models.surgery import image_convs
from tests.models.conftest import (
    CLASSES,
    DEFAULT,
    QUICK,
    SIDE,
    for_imagenet,
    network_params,
    thin_network,
)
from tests.refusals import refused

DECLARED = {  # height and width of the maps at the network's own input
    "alexnet": 6,
    "alexnet_gap": 13,
    "alexnet_star_gap": 13,
    "gapified": 14,
    "googlenet": 7,
    "googlenet_gap": 14,
    "inception_v3_gap": 17,
    "nin": 6,
    "published": 7,
    "resnet101_gap": 14,
    "resnet18_gap": 14,
    "resnet50": 7,
    "resnet50_gap": 14,
    "timm_gap": 14,
    "tiny_gap": 28,
    "vgg16": 7,
    "vgg16_bn": 7,
    "vgg16_bn_gap": 14,
    "vgg16_gap": 14,
    "vgg19_bn_gap": 14,
    "vgg19_gap": 14,
}
PARAMETERS = {  # for 1000 classes; those of the networks as published are torchvision's own figures
    "alexnet": 61_100_840,
    "alexnet_gap": 5_855_016,
    "alexnet_star_gap": 15_293_224,
    "gapified": 19_006_504,
    "googlenet": 6_624_904,
    "googlenet_gap": 11_967_656,
    "inception_v3_gap": 17_069_768,
    "nin": 7_595_176,
    "published": 25_557_032,
    "resnet101_gap": 62_400_552,
    "resnet18_gap": 16_921_128,
    "resnet50": 25_557_032,
    "resnet50_gap": 43_408_424,
    "timm_gap": 16_912_968,
    "tiny_gap": 142_952,
    "vgg16": 138_357_544,
    "vgg16_bn": 138_365_992,
    "vgg16_bn_gap": 20_467_752,
    "vgg16_gap": 20_459_304,
    "vgg19_bn_gap": 25_780_008,
    "vgg19_gap": 25_769_000,
}


def pools(name: str) -> list[str | None]:
    """List the poolings of a network; a flat head has none."""
    builder = inspect.signature(BUILDERS[name])
    return ["avg", "max"] if "pool" in builder.parameters else [None]


def images(count: int = 2) -> torch.Tensor:
    return torch.randn(count, 3, SIDE, SIDE, dtype=torch.float64)


@torch.no_grad()
def test_pooled_class_map_plus_bias_is_the_logit(network: GapNet) -> None:
    for pool in pools(network.name):
        chosen = network if pool in (None, "avg") else thin_network(network.name, pool=pool)
        features = chosen.forward_features(images())
        if not isinstance(chosen.head, CamHead):
            with refused(f"network {network.name!r}"):
                chosen.class_maps(features, torch.zeros(2, 1, dtype=torch.long))
            return
        logits = chosen.forward_head(features)
        maps = chosen.class_maps(features, torch.arange(CLASSES).expand(2, -1))
        assert maps.shape[-1] > 1
        pooled = maps.mean((-2, -1)) if chosen.head.pool == "avg" else maps.amax((-2, -1))
        assert_close(pooled + chosen.head.linear.bias, logits, atol=1e-12, rtol=1e-12)
        one = chosen.class_maps(features, torch.tensor([[5], [3]]))
        assert_close(one[:, 0], torch.stack([maps[0, 5], maps[1, 3]]))


def test_the_gradient_reaches_every_layer_up_to_the_first(network: GapNet) -> None:
    trained = deepcopy(network).train()
    logits = trained(images())
    assert logits.shape == (2, CLASSES)  # and no tuple, as torchvision's GoogLeNet gives
    logits.square().sum().backward()
    for name, parameter in trained.named_parameters():  # and there is none that nothing needs
        assert parameter.grad is not None, name
    (first,) = image_convs(trained.trunk, (SIDE, SIDE))
    assert trained.trunk.get_submodule(first).weight.grad.abs().sum() > 0


@torch.no_grad()
def test_forward_is_features_then_head_of_the_declared_size(network: GapNet) -> None:
    batch = images()
    features = network.forward_features(batch)
    logits = network(batch)
    assert torch.equal(logits, network.forward_head(features))
    assert logits.shape == (2, CLASSES)
    assert features.shape[-2:] == network.facts.map_size


@pytest.mark.parametrize(
    "name",
    network_params(sorted(DEFAULT), default=QUICK)
    + network_params(sorted(set(names()) - DEFAULT), others=pytest.mark.nightly),
)
@torch.no_grad()
def test_it_comes_back_from_a_file_that_holds_no_code(name: str, tmp_path: Path) -> None:
    single = deepcopy(thin_network(name)).float()
    save(single, tmp_path)
    again = load(tmp_path)
    batch = images(1).float()
    assert torch.equal(again(batch), single(batch))
    assert again.arguments == single.arguments


def distance(one: torch.Tensor, other: torch.Tensor) -> float:
    return ((one - other).norm() / other.norm()).item()


@torch.no_grad()
def test_channels_last_and_bf16_stay_near(network: GapNet) -> None:
    single = deepcopy(network).float()
    batch = images().float()
    expected = single(batch)
    single = single.to(memory_format=torch.channels_last)
    last = batch.contiguous(memory_format=torch.channels_last)
    assert distance(single(last), expected) < 1e-5
    with torch.autocast("cpu", torch.bfloat16):
        assert (
            distance(single(last).float(), expected) < 0.1
        )  # bf16 keeps 8 bits, over a hundred layers


@torch.no_grad()
def test_it_survives_pickling_to_a_worker(network: GapNet) -> None:
    again = pickle.loads(pickle.dumps(network))
    batch = images(1)
    assert again.name == network.name
    assert torch.equal(again(batch), network(batch))


def test_its_weights_hold_no_constants(network: GapNet) -> None:
    assert not {"mean", "std"} & set(network.state_dict())


def test_normalise_turns_bytes_into_zero_mean(network: GapNet) -> None:
    grey = torch.tensor(network.facts.mean).mul(255).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    assert network.normalise(grey).abs().max() < 1e-5


@torch.no_grad()
def test_a_grey_image_gives_what_it_gave_three_times_over(network: GapNet) -> None:
    grey = deepcopy(network)
    grey.see_grey()
    image = images(1)[:, :1]
    assert_close(grey(image), network(image.expand(-1, 3, -1, -1)))
    assert grey.channels == 1
    assert grey.normalise(torch.zeros(1, 3, 4, 4, dtype=torch.uint8)).shape == (1, 1, 4, 4)


@pytest.mark.parametrize("name", network_params(names()))
def test_it_has_the_declared_map_and_no_more_parameters_than_it_uses(name: str) -> None:
    network = for_imagenet(name)
    count = sum(parameter.numel() for parameter in network.parameters())
    assert (network.facts.map_size, count) == ((DECLARED[name],) * 2, PARAMETERS[name])


@pytest.mark.parametrize("name", names())
def test_every_argument_but_the_classes_has_a_default(name: str) -> None:
    signature = inspect.signature(BUILDERS[name])
    required = [key for key, value in signature.parameters.items() if value.default is value.empty]
    assert required == ["num_classes"]


@pytest.mark.parametrize("name", ["nin", pytest.param("googlenet_gap", marks=pytest.mark.slow)])
def test_one_channel_is_remembered(name: str) -> None:
    with torch.device("meta"):
        network = create(name, {"num_classes": CLASSES, "input_size": SIDE, "in_channels": 1})
        again = create(network.name, network.arguments)
    again.load_state_dict(network.state_dict())  # sizes are checked on the meta device as well
    assert again.channels == 1
