import pytest
import torch
from PIL import Image

from gapnet.data.loading.views import apply_view, whole_view
from gapnet.models import CamHead, create
from tests.refusals import refused


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA"])
@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_is_prepared_as_the_whole_view_shows_it(mode: str, channels: int) -> None:
    network = create("tiny_gap", {"num_classes": 2, "input_size": 32, "in_channels": channels})
    image = Image.effect_mandelbrot((90, 50), (-2, -1, 1, 1), 20).convert("RGB").convert(mode)
    shown, _ = apply_view(image.convert("RGB"), whole_view((32, 32)))
    prepared = network.prepare(image)
    assert prepared.shape == (1, channels, 32, 32)
    assert torch.equal(prepared, network.normalise(shown[None]))


@pytest.mark.parametrize("side", [224, 227])
def test_alexnet_has_maps_of_13_for_either_of_its_inputs(side: int) -> None:
    with torch.device("meta"):
        network = create("alexnet_gap", {"num_classes": 2, "input_size": side})
    assert network.facts.map_size == (13, 13)


@pytest.mark.parametrize("side", [0, -3, 2.5, "big"])
def test_an_input_size_that_cannot_be_is_named(side: object) -> None:
    with refused(f"model.input_size={side}"), torch.device("meta"):
        create("alexnet_gap", {"num_classes": 2, "input_size": side})


def test_max_unit_pools_each_unit_before_the_classes_weigh_it() -> None:
    network = create("tiny_gap", {"num_classes": 4, "input_size": 32, "pool": "max_unit"}).eval()
    features = network.forward_features(torch.randn(2, 3, 32, 32))
    weights, bias = network.head.linear.weight, network.head.linear.bias
    expected = features.flatten(2).max(-1).values @ weights.T + bias
    assert torch.allclose(network.forward_head(features), expected)


def test_max_unit_takes_every_unit_at_its_maximum_and_max_one_place_for_all() -> None:
    head = CamHead(2, 1, added=None, pool="max_unit")
    with torch.no_grad():
        head.linear.weight.fill_(1)
        head.linear.bias.zero_()
    apart = torch.tensor([[[[3.0, 0.0]], [[0.0, 5.0]]]])  # the units have different places
    assert head(apart).item() == 8
    head.pool = "max"
    assert head(apart).item() == 5


def test_a_network_of_double_precision_stays_so_for_grey_images() -> None:
    network = create("tiny_gap", {"num_classes": 2, "input_size": 48}).double()
    network.see_grey()
    images = network.normalise(torch.zeros(1, 3, 48, 48, dtype=torch.uint8))
    assert images.dtype == torch.float64
    assert network(images).shape == (1, 2)


def test_normalise_is_the_formula_bit_for_bit_and_leaves_the_images_as_they_are() -> None:
    network = create("tiny_gap", {"num_classes": 2})
    images = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).expand(1, 3, 16, 16)
    for values in (images, images.float()):
        before = values.clone()
        expected = (values.float() / 255 - network.mean) / network.std
        assert torch.equal(network.normalise(values), expected)
        assert torch.equal(values, before)
