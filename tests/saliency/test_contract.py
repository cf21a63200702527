"""Contract of every saliency method that has a file in conf/saliency."""

import functools
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import nn
from torch.testing import assert_close

from gapnet.models import GapNet, create
from gapnet.saliency.base import Saliency, look

FILES = sorted((Path(__file__).parents[2] / "conf" / "saliency").glob("*.yaml"))
SIDE, CLASSES = 36, 6


@pytest.fixture(params=[path.stem for path in FILES])
def method(request: pytest.FixtureRequest) -> Saliency:
    (path,) = (path for path in FILES if path.stem == request.param)
    return instantiate(OmegaConf.load(path))


@functools.cache
def built(in_channels: int = 3) -> GapNet:
    arguments = {"num_classes": CLASSES, "input_size": SIDE, "width": 8, "in_channels": in_channels}
    return create("tiny_gap", arguments).eval()


@pytest.fixture
def network() -> GapNet:
    """Return a copy, which the test may change."""
    return deepcopy(built())


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(2, 3, SIDE, SIDE)


CHOSEN = torch.tensor([[3, 0], [1, 5]])


def test_check_accepts_this_network(method: Saliency, network: GapNet) -> None:
    method.check(network)


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad, torch.enable_grad])
def test_maps_are_the_same_in_every_mode_and_leave_nothing_behind(
    method: Saliency, network: GapNet, images: torch.Tensor, mode: type
) -> None:
    with torch.no_grad():
        expected = method(network, look(network, images), CHOSEN)
    network.head.dropout.train()  # every part keeps its mode
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with mode():
        maps = method(network, look(network, images), CHOSEN.clone())
    assert_close(maps.detach(), expected)
    assert maps.dtype == torch.float32
    assert all(parameter.grad is None for parameter in network.parameters())
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    training = [name for name, part in network.named_modules() if part.training]
    assert training == ["head.dropout"]


@torch.inference_mode()
def test_any_number_of_images_and_classes_is_accepted(
    method: Saliency, network: GapNet, images: torch.Tensor
) -> None:
    every = torch.arange(CLASSES).expand(2, -1)
    whole = method(network, look(network, images), every)
    for count, asked in ((0, 2), (2, 0), (0, 0), (2, 1)):
        maps = method(network, look(network, images[:count]), every[:count, :asked])
        assert_close(maps, whole[:count, :asked])


@pytest.mark.gpu
def test_maps_on_a_gpu_are_those_on_the_cpu(method: Saliency, images: torch.Tensor) -> None:
    network, images = deepcopy(built()).double(), images.double()
    expected = method(network, look(network, images), CHOSEN)
    network.cuda()
    with torch.inference_mode():
        maps = method(network, look(network, images.cuda()), CHOSEN.cuda())
    assert_close(maps.cpu(), expected.detach())


def test_double_precision_stays(method: Saliency, network: GapNet, images: torch.Tensor) -> None:
    network, images = network.double(), images.double()
    assert method(network, look(network, images), CHOSEN).dtype == torch.float64


def test_channels_last_changes_nothing(
    method: Saliency, network: GapNet, images: torch.Tensor
) -> None:
    last = deepcopy(network).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        expected = method(network, look(network, images), CHOSEN)
        images = images.contiguous(memory_format=torch.channels_last)
        assert_close(method(last, look(last, images), CHOSEN), expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.enable_grad])
def test_autocast_gives_maps_in_single_precision_close_to_those_without(
    method: Saliency, network: GapNet, images: torch.Tensor, mode: type
) -> None:
    nn.init.normal_(network.head.linear.weight)
    with mode(), torch.autocast("cpu", torch.bfloat16):
        maps = method(network, look(network, images), CHOSEN).detach()
    with torch.inference_mode():
        expected = method(network, look(network, images), CHOSEN)
    assert maps.dtype == torch.float32
    assert maps.isfinite().all()
    assert (maps - expected).norm() < 0.2 * expected.norm()


def test_grey_images_are_accepted(method: Saliency, images: torch.Tensor) -> None:
    network = built(in_channels=1)
    method.check(network)
    assert method(network, look(network, images[:, :1]), CHOSEN).shape[:2] == (2, 2)


def test_it_takes_as_many_passes_as_it_says(
    method: Saliency, network: GapNet, images: torch.Tensor
) -> None:
    seen = look(network, images)
    passed = 0

    def forward(part: nn.Module, inputs: tuple[torch.Tensor], result: torch.Tensor) -> None:
        nonlocal passed
        passed += len(result)
        if result.requires_grad:
            result.register_hook(backward)

    def backward(gradient: torch.Tensor) -> None:
        nonlocal passed
        passed += len(gradient)

    network.trunk.register_forward_hook(forward)
    method(network, seen, CHOSEN)
    assert passed == len(images) * method.passes(CHOSEN.shape[1], (SIDE, SIDE))
