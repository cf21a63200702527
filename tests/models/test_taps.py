"""Taps: outputs of layers, compared with torchvision's feature extractor and with autograd."""

import re
from collections import OrderedDict
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.testing import assert_close
from torchvision.models.feature_extraction import create_feature_extractor

import gapnet
from gapnet.models import CamHead, GapNet, layer_names, layer_output, tap
from gapnet.models.surgery import trunk_of
from tests.models.conftest import SIDE, thin_network
from tests.refusals import refused

PACKAGE = Path(gapnet.__file__).parent
HOOKS = re.compile(r"register_\w*hook|_(?:forward|backward)\w*_hooks|add_module_hook")


def images() -> Tensor:
    return torch.randn(1, 3, SIDE, SIDE).double()


def hooks(network: nn.Module) -> int:
    return sum(len(layer._forward_hooks) for layer in network.modules())


@torch.no_grad()
def test_every_layer_of_every_network_can_be_tapped(network: GapNet) -> None:
    batch = images()
    expected = network(batch)
    with tap(network, layer_names(network)) as seen:
        logits = network(batch)
    assert torch.equal(logits, expected)
    assert set(layer_names(network)) == set(seen)
    assert not any(output.requires_grad for output in seen.values())
    assert hooks(network) == 0


@torch.no_grad()
def test_the_layer_before_the_head_gives_the_features(network: GapNet) -> None:
    batch = images()
    last = "head.conv" if isinstance(network.head, CamHead) else "trunk"
    with tap(network, [last, "trunk", "head"]) as seen:
        logits = network(batch)
    assert torch.equal(seen[last], network.forward_features(batch))
    assert torch.equal(seen["trunk"], network.trunk(batch))
    assert torch.equal(seen["head"], logits)


def test_gradients_reach_a_tapped_layer_of_every_network(network: GapNet) -> None:
    batch = images()
    with tap(network, ["trunk"]) as seen:
        score = network(batch)[:, 2].sum()
    (gradient,) = torch.autograd.grad(score, seen["trunk"])
    trunk_features = network.trunk(batch).detach().requires_grad_()
    score = network.forward_head(network.head.embed(trunk_features))[:, 2].sum()
    assert_close(gradient, torch.autograd.grad(score, trunk_features)[0])
    assert hooks(network) == 0
    assert all(parameter.grad is None for parameter in network.parameters())


def without_inplace(network: nn.Module) -> nn.Module:
    """Copy a network and make its activations leave their input unchanged."""
    network = deepcopy(network)
    for layer in network.modules():
        if hasattr(layer, "inplace"):
            layer.inplace = False
    return network


def alexnet() -> nn.Module:
    """Build torchvision's AlexNet without its large fully connected layers."""
    return trunk_of(torchvision.models.alexnet, at="avgpool")


def mobilenet_v2() -> nn.Module:
    return torchvision.models.mobilenet_v2(num_classes=3, width_mult=0.25)


RESNET = ["conv1", "bn1", "layer2.0.bn2", "layer3", "layer4.1"]
PEERS = [
    (alexnet, ["features.0", "features.10", "avgpool"]),
    (mobilenet_v2, ["features.4.conv.2", "features.4.conv.3", "features.18"]),
    pytest.param(torchvision.models.resnet18, RESNET, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("make", "layers"), PEERS)
@torch.no_grad()
def test_outputs_are_those_of_torchvision_s_extractor(
    make: Callable[..., nn.Module], layers: list[str]
) -> None:
    network = make().eval()  # with in-place ReLUs
    batch = torch.randn(1, 3, 64, 64)
    expected = create_feature_extractor(without_inplace(network), layers)(batch)
    with tap(network, layers) as seen:
        network(batch)
    assert list(seen) == list(expected)
    assert all(torch.equal(seen[name], expected[name]) for name in layers)


def test_an_inplace_relu_after_a_layer_changes_neither_its_output_nor_its_gradient() -> None:
    network = alexnet().double().eval()
    batch = torch.randn(1, 3, 64, 64).double()
    with tap(network, ["features.0"]) as seen:
        score = network(batch)[0, 1].sum()
    (gradient,) = torch.autograd.grad(score, seen["features.0"])
    conv = network.features[0](batch).detach()
    assert torch.equal(seen["features.0"], conv)
    assert conv.min() < 0
    rest = without_inplace(network)
    rest.features[0] = nn.Identity()
    conv.requires_grad_()
    assert_close(gradient, torch.autograd.grad(rest(conv)[0, 1].sum(), conv)[0])


def test_a_layer_its_inplace_relu_and_their_block_can_be_tapped_together() -> None:
    block = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(inplace=True))
    network = nn.Sequential(OrderedDict(block=block, act=nn.ReLU(inplace=True)))
    with tap(network, ["block.0", "block.1", "block", "act"]) as seen:
        score = network(torch.randn(2, 3, 5, 5)).square().sum()
    rectified = seen["block.0"].relu()
    for name in ("block.1", "block", "act"):
        assert torch.equal(seen[name], rectified)
        (gradient,) = torch.autograd.grad(score, seen[name], retain_graph=True)
        assert_close(gradient, 2 * rectified)
    (gradient,) = torch.autograd.grad(score, seen["block.0"])
    assert_close(gradient, 2 * rectified * (seen["block.0"] > 0))


def small() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 1), nn.Identity(), nn.ReLU(inplace=True))


def test_gradients_start_at_a_layer_if_nothing_before_it_requires_them() -> None:
    network = small().requires_grad_(requires_grad=False)
    batch = torch.randn(1, 3, 2, 2)
    with tap(network, ["0", "1"]) as seen:
        score = network(batch).sum()
    for name in ("0", "1"):
        (gradient,) = torch.autograd.grad(score, seen[name], retain_graph=True)
        assert torch.equal(gradient, (seen[name] > 0).float())
    assert not batch.requires_grad


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_without_gradients_an_output_has_no_graph(mode: type) -> None:
    network = small()
    with mode(), tap(network, ["0"]) as seen:
        network(torch.randn(1, 3, 2, 2))
    assert not seen["0"].requires_grad
    assert seen["0"].min() < 0


def test_the_last_output_is_recorded_of_a_layer_that_runs_several_times() -> None:
    twice = nn.Linear(2, 2)
    network = nn.Sequential(twice, nn.ReLU(), twice)
    first, second = torch.randn(2, 1, 2)
    with tap(network, ["0"]) as seen:
        assert torch.equal(network(first), seen["0"])
        logits = network(second)
        assert torch.equal(seen["0"], logits)
        (gradient,) = torch.autograd.grad(logits.sum(), seen["0"])
    assert torch.equal(gradient, torch.ones(1, 2))


def test_taps_may_be_nested() -> None:
    network = small()
    with tap(network, ["0"]) as outer:
        with tap(network, ["0", "2"]) as inner:
            score = network(torch.randn(1, 3, 2, 2)).sum()
        for seen in (outer, inner):
            (gradient,) = torch.autograd.grad(score, seen["0"], retain_graph=True)
            assert torch.equal(gradient, (seen["0"] > 0).float())
        assert hooks(network) == 1
        before = inner["0"]
        network(torch.randn(1, 3, 2, 2))
        assert inner["0"] is before
        assert not torch.equal(outer["0"], before)
    assert hooks(network) == 0


class Returning(nn.Module):
    """Return its input in another form."""

    def __init__(self, form: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.form = form

    def forward(self, values: Tensor) -> object:
        return self.form(values)


@pytest.mark.parametrize(
    ("form", "kind"), [(lambda x: (x, x), "tuple"), (lambda x: {"out": x}, "dict")]
)
def test_a_layer_that_returns_no_tensor_is_an_error(form: Callable, kind: str) -> None:
    network = nn.Sequential(nn.ReLU(), Returning(form))
    with refused("layer='1'", kind), tap(network, ["0", "1"]):
        network(torch.randn(1, 2))
    assert hooks(network) == 0


def test_hooks_are_removed_after_an_error_in_the_block() -> None:
    network = small()
    with pytest.raises(RuntimeError), tap(network, ["0", "2"]):
        network(torch.randn(1, 7, 2, 2))
    assert hooks(network) == 0


def test_the_mode_of_each_layer_stays() -> None:
    network = nn.Sequential(small(), nn.ReLU().eval())
    modes = [layer.training for layer in network.modules()]
    with tap(network, ["0"]):
        network(torch.randn(2, 3, 2, 2))
        assert [layer.training for layer in network.modules()] == modes
    assert [layer.training for layer in network.modules()] == modes


def test_an_unknown_name_gets_similar_ones_and_the_way_to_list_all() -> None:
    network = thin_network("resnet18_gap")
    parts = ("layer='trunk.layer33'", "'trunk.layer3'", "gapnet.models.layer_names(network)")
    with refused(*parts), tap(network, ["trunk", "trunk.layer33"]):
        pass
    assert hooks(network) == 0


def test_one_string_in_place_of_a_list_is_an_error() -> None:
    with refused("layer='0'"), tap(small(), "0"):
        pass


def test_a_container_without_a_forward_pass_is_no_layer() -> None:
    network = nn.Sequential(nn.ModuleList([nn.ReLU()]), nn.ReLU())
    assert layer_names(network) == ["0.0", "1"]


def test_a_layer_that_did_not_run_has_no_output() -> None:
    with tap(small(), ["0"]) as seen:
        pass
    assert "0" not in seen
    with refused("layer='0'"):
        seen["0"]


def test_layer_output_is_a_function_of_the_images() -> None:
    network = small()
    batch = torch.randn(1, 3, 2, 2)
    assert torch.equal(layer_output(network, "0")(batch), network[0](batch))


def test_only_taps_registers_hooks() -> None:
    hooking = [path for path in PACKAGE.rglob("*.py") if HOOKS.search(path.read_text("utf-8"))]
    assert hooking == [PACKAGE / "models" / "taps.py"]
