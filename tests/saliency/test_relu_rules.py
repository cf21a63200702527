"""Guided backpropagation and deconvnet: closed forms, captum's, and every way to write a ReLU."""

from collections.abc import Callable
from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.testing import assert_close
from torchvision.models.googlenet import BasicConv2d

from gapnet.models import Facts, FlatHead, GapNet
from gapnet.saliency.base import Saliency, look
from gapnet.saliency.gradient.deconvnet import Deconvnet
from gapnet.saliency.gradient.gradient import Gradient
from gapnet.saliency.gradient.guided import GuidedBackprop
from gapnet.saliency.gradient.relu_rules import Rectifying, activations
from tests.models.conftest import QUICK, network_params, thin_network
from tests.oracles.saliency import relu_layer_gradient
from tests.refusals import refused
from tests.saliency.conftest import flat_network, out_of_place

METHODS: dict[str, Saliency] = {
    "gradient": Gradient(),
    "guided": GuidedBackprop(),
    "deconvnet": Deconvnet(),
}
CAPTUMS = {"guided": "GuidedBackprop", "deconvnet": "Deconvolution"}
CHANGED = pytest.mark.parametrize("name", ["guided", "deconvnet"])

# captum warns that it registers hooks
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:captum")


class Through(nn.Module):
    """Call a function instead of a module of torch, which a hook would see."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, values: Tensor) -> Tensor:
        return self.function(values)


def ignoring_the_result(values: Tensor) -> Tensor:
    rectified = values * 1
    rectified.relu_()
    return rectified


def on_a_view(values: Tensor) -> Tensor:
    rectified = values * 1
    rectified.flatten(1).relu_()
    return rectified


WAYS = {
    "nn.ReLU": nn.ReLU(),
    "nn.ReLU in place": nn.ReLU(inplace=True),
    "F.relu": Through(functional.relu),
    "F.relu in place": Through(lambda values: functional.relu(values, inplace=True)),
    "F.relu_": Through(functional.relu_),
    "torch.relu": Through(torch.relu),
    "torch.relu by name": Through(lambda values: torch.relu(input=values)),
    "torch.relu_": Through(torch.relu_),
    "Tensor.relu": Through(Tensor.relu),
    "Tensor.relu_": Through(Tensor.relu_),
    "ignoring the result": Through(ignoring_the_result),
    "on a view": Through(on_a_view),
}


@pytest.mark.parametrize("name", METHODS)
def test_the_gradient_of_one_layer_follows_the_rule(name: str) -> None:
    first = nn.Linear(12, 20, bias=False)
    head = FlatHead(nn.Sequential(first, nn.ReLU()), 20, 3)
    network = GapNet(nn.Identity(), head, Facts((2, 2), (2, 2))).double()
    image = torch.randn(1, 3, 2, 2).double()
    maps = METHODS[name](network, look(network, image), torch.tensor([[1]]))
    weights = first.weight.detach().numpy(), head.linear.weight[1].detach().numpy()
    gradient = relu_layer_gradient(image.flatten().numpy(), *weights, name)
    assert_close(maps[0, 0].numpy(), np.abs(gradient).reshape(3, 2, 2).max(0))


@CHANGED
def test_it_agrees_with_captum(network: GapNet, images: Tensor, classes: Tensor, name: str) -> None:
    method = getattr(pytest.importorskip("captum.attr"), CAPTUMS[name])
    maps = METHODS[name](network, look(network, images), classes)
    for place, target in enumerate(classes.T):
        theirs = method(network).attribute(images.clone(), target=target).abs().amax(1)
        assert_close(maps[:, place], theirs, rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    ("name", "way"), [("deconvnet", "F.relu in place"), *(("guided", way) for way in WAYS)]
)
def test_the_rule_applies_however_a_relu_is_written(name: str, way: str) -> None:
    network = flat_network(nn.ReLU())
    written = flat_network(WAYS[way])
    written.load_state_dict(network.state_dict())
    image = torch.randn(2, 3, *network.facts.input_size).double()
    classes = torch.tensor([[1, 2], [0, 3]])
    expected = METHODS[name](network, look(network, image), classes)
    assert_close(METHODS[name](written, look(written, image), classes), expected)
    assert not torch.allclose(expected, Gradient()(network, look(network, image), classes))
    METHODS[name].check(written)


def test_other_calls_are_not_changed() -> None:
    values = torch.randn(4)
    with Rectifying(torch.zeros_like):
        assert torch.equal(values.clamp(min=0), values * (values > 0))
        assert torch.equal(functional.relu6(values), values * (values > 0))
        assert torch.equal(functional.relu(values), torch.zeros(4))
    assert torch.equal(functional.relu(values), values * (values > 0))


@CHANGED
@pytest.mark.parametrize(
    ("activation", "other"),
    [
        ("silu", nn.SiLU(inplace=True)),
        ("gelu", nn.GELU()),
        ("leaky_relu", nn.LeakyReLU()),
        ("elu", nn.ELU()),
        ("hardtanh", nn.ReLU6()),
    ],
)
def test_a_network_with_another_activation_is_refused(
    name: str, activation: str, other: nn.Module
) -> None:
    with refused(f"saliency={name}", activation, "saliency=gradient"):
        METHODS[name].check(flat_network(other))


@CHANGED
def test_a_network_without_activations_is_refused(name: str) -> None:
    with refused(f"saliency={name}"):
        METHODS[name].check(flat_network(nn.Tanh()))


@CHANGED
@pytest.mark.slow
def test_a_relu_in_the_head_does_not_allow_another_activation_in_the_trunk(name: str) -> None:
    network = thin_network("timm_gap")  # a ConvNeXt
    assert activations(network) == {"gelu", "relu"}
    with refused(f"saliency={name}", "gelu", "relu"):
        METHODS[name].check(network)


@pytest.mark.parametrize(
    "name",
    network_params(
        ["alexnet_gap", "googlenet_gap", "nin", "resnet18_gap", "tiny_gap"], default=QUICK
    ),
)
def test_networks_with_relus_only_are_accepted_and_not_changed(name: str) -> None:
    network = deepcopy(thin_network(name)).train()
    network.see_grey()
    network.double()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    GuidedBackprop().check(network)
    assert all(part.training for part in network.modules())
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


@pytest.mark.slow
@CHANGED
def test_the_rule_applies_to_functions_in_googlenet_as_to_modules(name: str) -> None:
    method = getattr(pytest.importorskip("captum.attr"), CAPTUMS[name])
    network = thin_network("googlenet_gap")
    images = torch.randn(1, 3, *network.facts.input_size).double()
    maps = METHODS[name](network, look(network, images), torch.tensor([[2]]))
    theirs = method(as_modules(network)).attribute(images, target=2).abs().amax(1)
    assert_close(maps[:, 0], theirs, rtol=1e-10, atol=0)


def as_modules(network: GapNet) -> GapNet:
    """Replace each F.relu of GoogLeNet, which follows a conv, by a module."""
    changed = out_of_place(deepcopy(network))
    for part in list(changed.modules()):
        for name, child in list(part.named_children()):
            if isinstance(child, BasicConv2d):
                setattr(part, name, nn.Sequential(child.conv, child.bn, nn.ReLU()))
    return changed
