"""Small networks in double precision."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from gapnet.models import Facts, FlatHead, GapNet, create
from tests.models.conftest import thin_network

SIDE = 24  # pixels
CLASSES = 5


def linear(side: int, classes: int = 4) -> GapNet:
    """Build a network that is linear in its image: S_c = w_c . I + b_c."""
    head = FlatHead(nn.Identity(), 3 * side * side, classes)
    return GapNet(nn.Identity(), head, Facts((side, side), (side, side))).double().eval()


def flat_network(rectifier: nn.Module, side: int = SIDE) -> GapNet:
    """Build a small VGG: convs, pooling and fully connected layers."""
    trunk = nn.Sequential(
        *(nn.Conv2d(3, 8, 3, padding=1), rectifier, nn.Conv2d(8, 8, 3, padding=1), rectifier),
        *(nn.MaxPool2d(2), nn.Conv2d(8, 12, 3, padding=1), rectifier),
    )
    layers = nn.Sequential(nn.Linear(12 * (side // 2) ** 2, 32), rectifier, nn.Dropout())
    head = FlatHead(layers, 32, CLASSES)
    nn.init.normal_(head.linear.weight)
    return GapNet(trunk, head, Facts.of(trunk, side)).double().eval()


def tiny_network(**arguments: int | str) -> GapNet:
    """Build the small registered network in double precision."""
    chosen = {"num_classes": CLASSES, "input_size": SIDE, **arguments}
    return create("tiny_gap", chosen).double().eval()


def out_of_place(network: GapNet) -> GapNet:
    """Make the ReLU modules of a network leave their input unchanged, which captum needs."""
    for part in network.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False
    return network


@pytest.fixture(params=["tiny_gap", "flat", pytest.param("alexnet", marks=pytest.mark.slow)])
def network(request: pytest.FixtureRequest) -> GapNet:
    if request.param == "flat":
        return flat_network(nn.ReLU())
    if request.param == "tiny_gap":
        return out_of_place(tiny_network())
    return out_of_place(deepcopy(thin_network(request.param)))


@pytest.fixture
def images(network: GapNet) -> torch.Tensor:
    return torch.randn(2, 3, *network.facts.input_size, dtype=torch.float64)


@pytest.fixture
def classes() -> torch.Tensor:
    return torch.tensor([[3, 0, 4], [1, 2, 4]])
