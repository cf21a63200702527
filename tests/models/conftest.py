"""Networks that several tests use, built once: thin ones with weights, whole ones without.

Tests leave them as they are; a test that changes a network takes a deep copy.
"""

import functools

import pytest
import torch

from gapnet.models import GapNet, create, names
from gapnet.models.surgery import initialise

CLASSES = 7
SIDE = 80  # pixels: every network's map still has several places
THIN = 8
TINY_TIMM = "test_convnext"  # a network of timm that is as small as a thin one

# A network of each kind of head and trunk is tested by default, all of them by CI.
DEFAULT = {"alexnet", "alexnet_gap", "resnet18_gap", "tiny_gap"}
QUICK = {"alexnet_gap", "tiny_gap"}  # they are quick to build with all their weights


def network_params(
    network_names: list[str],
    *,
    default: set[str] = DEFAULT,
    others: pytest.MarkDecorator = pytest.mark.slow,
) -> list:
    """Return a parameter per network; tests of one network run in the same process."""
    return [
        pytest.param(
            name,
            marks=[
                pytest.mark.xdist_group(f"network {name}"),
                *([] if name in default else [others]),
            ],
        )
        for name in network_names
    ]


@functools.cache
def thin_network(name: str, **arguments: str | int) -> GapNet:
    """Build a network with an eighth of its units in double precision, in eval mode."""
    size = {"name": TINY_TIMM, "stage": -1} if name == "timm_gap" else {"thin": THIN}
    chosen = {"num_classes": CLASSES, "input_size": SIDE, **size, **arguments}
    torch.manual_seed(0)
    if name == "timm_gap":
        return create(name, chosen).double().eval()
    with torch.device("meta"):  # the units that are left out then need no weights
        network = create(name, chosen)
    initialise(network.to_empty(device="cpu"))
    network._set_normalisation()
    return network.double().eval()


@functools.cache
def for_imagenet(name: str) -> GapNet:
    """Build a network for ImageNet's classes, on no device."""
    with torch.device("meta"):
        return create(name, {"num_classes": 1000}).eval()


@pytest.fixture(scope="session", params=network_params(names()))
def network(request: pytest.FixtureRequest) -> GapNet:
    """Build every network once for all tests, which leave it as it is."""
    return thin_network(request.param)
