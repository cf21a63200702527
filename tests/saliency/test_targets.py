"""Targets other than classes: compared with the class path, captum, autograd and by hand."""

from collections.abc import Callable
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from gapnet.models import Facts, FlatHead, GapNet, layer_output
from gapnet.saliency import (
    Cam,
    Deconvnet,
    GradCam,
    GradCamPlusPlus,
    Gradient,
    GuidedBackprop,
    Margin,
    Occlusion,
    OutputUnit,
    Saliency,
    Target,
    look,
    map_image_gradients,
)
from gapnet.saliency.base import score_targets
from tests.oracles import saliency as oracle
from tests.refusals import refused
from tests.saliency.conftest import SIDE, flat_network, linear, tiny_network

METHODS: list[Saliency] = [
    *(Gradient(), GuidedBackprop(), Deconvnet(), GradCam(), GradCamPlusPlus()),
    Occlusion(window=8, stride=8, batch=5),
]
EVERY_METHOD = pytest.mark.parametrize("method", METHODS, ids=lambda method: type(method).__name__)


def regression(side: int = SIDE) -> GapNet:
    """Build a network with one output."""
    head = FlatHead(nn.Sequential(nn.Linear(4 * side * side, 6), nn.ReLU()), 6, 1)
    nn.init.normal_(head.linear.weight)
    trunk = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(inplace=True))
    return GapNet(trunk, head, Facts((side, side), (side, side))).double().eval()


@EVERY_METHOD
@pytest.mark.parametrize("mode", [torch.enable_grad, torch.inference_mode])
def test_a_target_that_selects_a_class_equals_the_class(
    method: Saliency, network: GapNet, images: Tensor, mode: type
) -> None:
    chosen = [3, 0, 4]
    with mode():
        seen = look(network, images)
        expected = method(network, seen, torch.tensor([chosen, chosen]))
        for targets in (
            [OutputUnit(index) for index in chosen],
            [lambda outputs, index=index: outputs[:, index] for index in chosen],
        ):
            assert torch.equal(method(network, seen, targets), expected)


@EVERY_METHOD
def test_each_target_has_its_own_map(method: Saliency) -> None:
    network = flat_network(nn.ReLU())
    seen = look(network, torch.randn(2, 3, SIDE, SIDE).double())
    targets: list[Target] = [Margin(1, 2), OutputUnit(0), lambda outputs: outputs.square().sum(1)]
    maps = method(network, seen, targets)
    for place, target in enumerate(targets):
        assert_close(maps[:, place], method(network, seen, [target])[:, 0])
    assert method(network, seen, []).shape == (2, 0, *maps.shape[-2:])


@pytest.mark.filterwarnings("ignore::UserWarning:captum")
def test_the_gradient_of_a_margin_agrees_with_captum(network: GapNet, images: Tensor) -> None:
    captum = pytest.importorskip("captum.attr")
    peer = captum.Saliency(lambda batch: network(batch)[:, 3] - network(batch)[:, 1])
    theirs = peer.attribute(images.clone(), abs=True).amax(1)
    maps = Gradient()(network, look(network, images), [Margin(3, 1)])
    assert_close(maps[:, 0], theirs, rtol=1e-10, atol=1e-14)


def test_the_gradient_of_a_margin_is_the_difference_of_gradients(
    network: GapNet, images: Tensor
) -> None:
    images.requires_grad_()
    logits = network(images).sum(0)
    first, second = (
        torch.autograd.grad(logits[label], images, retain_graph=True)[0] for label in (3, 1)
    )
    maps = Gradient()(network, look(network, images), [Margin(3, 1)])
    assert_close(maps[:, 0], (first - second).abs().amax(1), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(
    ("method", "by_hand"),
    [(GradCam(), oracle.grad_cam), (GradCamPlusPlus(), oracle.grad_cam_plus_plus)],
    ids=["grad_cam", "grad_cam_plus_plus"],
)
def test_grad_cam_of_a_linear_combination_weighs_by_the_combined_weights(
    method: Saliency, by_hand: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> None:
    network = linear(6)
    seen = look(network, torch.rand(2, 3, 6, 6).double())
    factors = torch.tensor([2.0, -1.0, 0.5, 3.0]).double()
    maps = method(network, seen, [lambda outputs: outputs @ factors])
    weights = network.head.linear.weight.detach().view(4, 3, 6, 6).numpy()
    gradient = sum(factor * weight for factor, weight in zip(factors.numpy(), weights, strict=True))
    for image in range(2):
        expected = by_hand(seen.features[image].numpy(), gradient)
        assert_close(maps[image, 0].numpy(), expected)


def test_behind_average_pooling_grad_cam_of_a_margin_is_the_difference_of_class_maps() -> None:
    network = tiny_network()
    seen = look(network, torch.randn(2, 3, SIDE, SIDE).double())
    first, second = network.class_maps(seen.features, torch.tensor([[3, 1], [3, 1]])).unbind(1)
    expected = (first - second).clamp(min=0) / first[0].numel()
    maps = GradCam()(network, seen, [Margin(3, 1)])
    assert_close(maps[:, 0], expected.detach(), rtol=1e-10, atol=1e-14)


def test_occlusion_of_a_margin_is_the_difference_of_the_drops() -> None:
    network = flat_network(nn.ReLU())
    seen = look(network, torch.randn(2, 3, SIDE, SIDE).double())
    method = Occlusion(window=8, stride=4, batch=7)
    first, second = method(network, seen, torch.tensor([[3, 1], [3, 1]])).unbind(1)
    assert_close(method(network, seen, [Margin(3, 1)])[:, 0], first - second)


@EVERY_METHOD
def test_a_regression_with_one_output_has_maps(method: Saliency) -> None:
    network = regression()
    seen = look(network, torch.randn(2, 3, SIDE, SIDE).double())
    method.check(network)
    maps = method(network, seen, [OutputUnit(0)])
    assert torch.equal(maps, method(network, seen, torch.zeros(2, 1, dtype=torch.long)))
    assert maps.abs().amax() > 0


def test_the_score_may_be_a_function_of_several_outputs() -> None:
    network = linear(6)
    seen = look(network, torch.randn(2, 3, 6, 6).double())
    maps = Gradient()(network, seen, [lambda outputs: outputs.logsumexp(1)])
    weights = network.head.linear.weight.detach().view(4, 3, 6, 6)
    expected = torch.einsum("bn,nchw->bchw", seen.logits.softmax(1), weights).abs().amax(1)
    assert_close(maps[:, 0], expected.detach())


UP_TO: dict[str, Callable[[GapNet, Tensor], Tensor]] = {
    "trunk.0": lambda network, images: network.trunk[:1](images),
    "trunk.5": lambda network, images: network.trunk[:6](images),
    "head.layers.0": lambda network, images: network.head.layers[0](
        network.trunk(images).flatten(1)
    ),
}


@pytest.mark.parametrize("layer", UP_TO)
def test_a_unit_of_an_inner_layer_has_a_map(layer: str) -> None:
    network = flat_network(nn.ReLU(inplace=True))
    images = torch.randn(2, 3, SIDE, SIDE).double()
    units: list[Target] = [
        lambda outputs, unit=unit: outputs[:, unit].reshape(len(outputs), -1).amax(1)
        for unit in (5, 2)
    ]
    maps = map_image_gradients(layer_output(network, layer), images, units)
    values = UP_TO[layer](network, images.requires_grad_())
    for place, unit in enumerate(units):
        (gradient,) = torch.autograd.grad(unit(values).sum(), images, retain_graph=True)
        assert_close(maps[:, place], gradient.abs().amax(1))


def test_cam_takes_classes_only_and_names_methods_that_take_others() -> None:
    network = linear(6)
    seen = look(network, torch.rand(1, 3, 6, 6).double())
    with refused("saliency=cam", "saliency=grad_cam", "gradient"):
        Cam()(network, seen, [Margin(0, 1)])


WRONG_SHAPES: list[tuple[Target, str]] = [
    (lambda outputs: outputs[:, :3], "(2, 3)"),
    (lambda outputs: outputs[:, :1], "(2, 1)"),
    (lambda outputs: outputs.sum(), "()"),
    (lambda outputs: outputs[0], "(5,)"),
    (lambda outputs: 1.0, "float"),
]


@pytest.mark.parametrize(("target", "shape"), WRONG_SHAPES)
def test_a_score_with_a_wrong_shape_is_an_error(target: Target, shape: str) -> None:
    with refused("target", shape, "(2, 5)", "(2,)"):
        score_targets(torch.randn(2, 5), [OutputUnit(0), target])


@EVERY_METHOD
def test_every_method_checks_the_shape_of_scores(method: Saliency) -> None:
    network = flat_network(nn.ReLU())
    seen = look(network, torch.randn(2, 3, SIDE, SIDE).double())
    target, shape = WRONG_SHAPES[0]
    with refused("target", shape):
        method(network, seen, [OutputUnit(0), target])


@pytest.mark.parametrize(
    ("target", "index"), [(OutputUnit(5), 5), (OutputUnit(-1), -1), (Margin(0, 5), 5)]
)
def test_an_output_that_does_not_exist_is_an_error(target: Target, index: int) -> None:
    with refused(f"target={index}"):
        score_targets(torch.randn(2, 5), [target])


def test_ready_targets_are_compared_by_value_and_cannot_be_changed() -> None:
    assert Margin(1, 2) == Margin(1, 2) != Margin(2, 1)
    with pytest.raises(FrozenInstanceError):
        OutputUnit(1).index = 2  # type: ignore[misc]


def test_scores_of_half_precision_outputs_are_computed_in_single() -> None:
    outputs = torch.tensor([[256.0, 1.0]], dtype=torch.bfloat16)
    assert score_targets(outputs, [Margin(0, 1)]).tolist() == [[255.0]]
    assert score_targets(outputs, [lambda outputs: outputs.sum(1)]).tolist() == [[257.0]]
