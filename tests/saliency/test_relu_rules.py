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

from gapnet.errors import GapnetError
from gapnet.models import Facts, FlatHead, GapNet, create
from gapnet.saliency.base import Saliency, look
from gapnet.saliency.gradient.deconvnet import Deconvnet
from gapnet.saliency.gradient.gradient import Gradient
from gapnet.saliency.gradient.guided import GuidedBackprop
from gapnet.saliency.gradient.relu_rules import Rectifying, rectifiers
from tests.oracles.saliency import relu_layer_gradient
from tests.saliency.conftest import deep_network, flat_network, out_of_place

METHODS: dict[str, Saliency] = {
    "gradient": Gradient(),
    "guided": GuidedBackprop(),
    "deconvnet": Deconvnet(),
}
CAPTUMS = {"guided": "GuidedBackprop", "deconvnet": "Deconvolution"}
CHANGED = pytest.mark.parametrize("name", ["guided", "deconvnet"])

# It says that it hooks modules
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:captum")


class Through(nn.Module):
    """Call a function, which no hook on a module of torch's own would see."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, given: Tensor) -> Tensor:
        return self.function(given)


def ignoring_the_result(given: Tensor) -> Tensor:
    rectified = given * 1
    rectified.relu_()
    return rectified


def on_a_view(given: Tensor) -> Tensor:
    rectified = given * 1
    rectified.flatten(1).relu_()
    return rectified


WAYS = {
    "nn.ReLU": nn.ReLU(),
    "nn.ReLU in place": nn.ReLU(inplace=True),
    "F.relu": Through(functional.relu),
    "F.relu in place": Through(lambda given: functional.relu(given, inplace=True)),
    "F.relu_": Through(functional.relu_),
    "torch.relu": Through(torch.relu),
    "torch.relu by name": Through(lambda given: torch.relu(input=given)),
    "torch.relu_": Through(torch.relu_),
    "Tensor.relu": Through(Tensor.relu),
    "Tensor.relu_": Through(Tensor.relu_),
    "ignoring the result": Through(ignoring_the_result),
    "on a view": Through(on_a_view),
}


@pytest.mark.parametrize("name", METHODS)
def test_one_layer_goes_back_by_the_rule(name: str) -> None:
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


@CHANGED
@pytest.mark.parametrize("way", WAYS)
def test_the_rule_holds_however_a_relu_is_written(name: str, way: str) -> None:
    network = flat_network(nn.ReLU())
    written = flat_network(WAYS[way])
    written.load_state_dict(network.state_dict())
    image = torch.randn(2, 3, *network.facts.input_size).double()
    classes = torch.tensor([[1, 2], [0, 3]])
    expected = METHODS[name](network, look(network, image), classes)
    assert_close(METHODS[name](written, look(written, image), classes), expected)
    assert not torch.allclose(expected, Gradient()(network, look(network, image), classes))
    METHODS[name].check(written)


def test_other_calls_are_left_alone() -> None:
    given = torch.randn(4)
    with Rectifying(torch.zeros_like):
        assert torch.equal(given.clamp(min=0), given * (given > 0))
        assert torch.equal(functional.relu6(given), given * (given > 0))
        assert torch.equal(functional.relu(given), torch.zeros(4))
    assert torch.equal(functional.relu(given), given * (given > 0))


@CHANGED
@pytest.mark.parametrize(
    ("rectifier", "other"),
    [
        ("silu", nn.SiLU(inplace=True)),
        ("gelu", nn.GELU()),
        ("leaky_relu", nn.LeakyReLU()),
        ("elu", nn.ELU()),
        ("hardtanh", nn.ReLU6()),
    ],
)
def test_a_network_with_another_rectifier_is_refused(
    name: str, rectifier: str, other: nn.Module
) -> None:
    says = f"saliency={name}, .* its rectifiers are {rectifier}; take saliency=gradient"
    with pytest.raises(GapnetError, match=says):
        METHODS[name].check(flat_network(other))


@CHANGED
def test_a_network_without_rectifiers_is_refused(name: str) -> None:
    with pytest.raises(GapnetError, match="rectifiers are none"):
        METHODS[name].check(flat_network(nn.Tanh()))


@CHANGED
def test_a_relu_in_the_head_does_not_make_up_for_another_in_the_trunk(name: str) -> None:
    network = create("timm_gap", {"num_classes": 3, "name": "test_convnext", "stage": -1})
    assert rectifiers(network) == {"gelu", "relu"}
    with pytest.raises(GapnetError, match="rectifiers are gelu, relu"):
        METHODS[name].check(network)


@pytest.mark.parametrize(
    "name",
    ["tiny_gap", "alexnet_gap", "nin"]
    + [pytest.param(each, marks=pytest.mark.slow) for each in ("googlenet_gap", "resnet18_gap")],
)
def test_networks_of_relus_are_taken_and_left_as_they_are(name: str) -> None:
    network = create(name, {"num_classes": 3, "input_size": 80, "in_channels": 1}).train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    GuidedBackprop().check(network)
    assert all(part.training for part in network.modules())
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


@pytest.mark.slow
@CHANGED
def test_functions_in_googlenet_go_by_the_rule_as_modules_would(name: str) -> None:
    method = getattr(pytest.importorskip("captum.attr"), CAPTUMS[name])
    network = deep_network("googlenet_gap", width=8)
    images = torch.randn(1, 3, 80, 80).double()
    maps = METHODS[name](network, look(network, images), torch.tensor([[2]]))
    theirs = method(as_modules(network)).attribute(images, target=2).abs().amax(1)
    assert_close(maps[:, 0], theirs, rtol=1e-10, atol=0)


def as_modules(network: GapNet) -> GapNet:
    """Put a module in the place of each F.relu of GoogLeNet's, which stand in its convs."""
    changed = out_of_place(deepcopy(network))
    for part in list(changed.modules()):
        for name, child in list(part.named_children()):
            if isinstance(child, BasicConv2d):
                setattr(part, name, nn.Sequential(child.conv, child.bn, nn.ReLU()))
    return changed
