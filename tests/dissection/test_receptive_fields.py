"""Receptive fields, against published sizes and networks whose fields are known."""

import pytest
import torch
from torch import nn

from gapnet.dissection.receptive_fields import Occluder, measured_field, theoretical_field
from gapnet.errors import GapnetError
from gapnet.models import create
from gapnet.models.gapnet import Facts, GapNet
from gapnet.models.heads import CamHead


@pytest.mark.parametrize(
    ("layer", "side"),
    [("trunk.2", 19), ("trunk.5", 67), ("trunk.6", 99), ("trunk.8", 131), ("trunk.12", 195)],
)
def test_fields_of_alexnet_are_the_published_ones(layer: str, side: int) -> None:
    convs = [
        *(nn.Conv2d(3, 2, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(2, 2, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(2, 2, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(2, 2, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(2, 2, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2)),
    ]
    assert theoretical_field(network_of(nn.Sequential(*convs), 224), layer) == (side, side)


def network_of(trunk: nn.Module, side: int) -> GapNet:
    channels = [layer.out_channels for layer in trunk.modules() if isinstance(layer, nn.Conv2d)]
    return GapNet(trunk, CamHead(channels[-1], 2, added=None), Facts((side, side), (1, 1))).eval()


def test_the_field_does_not_depend_on_the_weights() -> None:
    network = create("tiny_gap", {"num_classes": 3, "input_size": 32, "width": 8}).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert min(theoretical_field(network, "trunk")) > 8
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def one_conv(used: int, side: int = 41) -> GapNet:
    """Return a network of one conv of side 31, of whose weights the middle ones are not 0."""
    conv = nn.Conv2d(3, 1, 31, padding=15)
    edge = (31 - used) // 2
    with torch.no_grad():
        conv.weight.zero_()
        conv.weight[..., edge : edge + used, edge : edge + used] = 1
    return network_of(nn.Sequential(conv), side)


def test_a_measured_field_is_that_of_the_weights_that_are_used() -> None:
    images = torch.randn(3, 3, 41, 41) * 0.1 + 1
    small, large = (
        measured_field(one_conv(used), "trunk.0", 0, images, occluder=Occluder(3, 2)).size
        for used in (5, 19)
    )
    assert 5 <= small <= 5 + 2 * 3
    assert 19 - 3 <= large <= 19 + 2 * 3
    assert theoretical_field(one_conv(5, 81), "trunk.0") == (31, 31)


def test_a_unit_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(GapnetError, match="unit=7"):
        measured_field(one_conv(5), "trunk.0", 7, torch.ones(1, 3, 41, 41))
