"""Grad-CAM and Grad-CAM++, compared with closed forms, class maps and two other libraries."""

from collections.abc import Callable
from operator import itemgetter
from typing import get_args

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from gapnet.models import FlatHead, GapNet
from gapnet.models.heads import Pool
from gapnet.saliency.base import Saliency, look
from gapnet.saliency.cam.grad_cam import GradCam
from gapnet.saliency.cam.grad_cam_plus_plus import GradCamPlusPlus
from tests.models.conftest import network_params, thin_network
from tests.oracles import saliency as oracle
from tests.saliency.conftest import linear

ByHand = Callable[[np.ndarray, np.ndarray], np.ndarray]
BOTH = pytest.mark.parametrize(
    ("method", "by_hand"),
    [(GradCam(), oracle.grad_cam), (GradCamPlusPlus(), oracle.grad_cam_plus_plus)],
    ids=["grad_cam", "grad_cam_plus_plus"],
)


@BOTH
def test_a_linear_head_gives_its_weights_as_gradients(method: Saliency, by_hand: ByHand) -> None:
    network = linear(6)
    seen = look(network, torch.rand(2, 3, 6, 6).double())
    classes = torch.tensor([[3, 0], [1, 2]])
    gradients = network.head.linear.weight.detach().view(4, 3, 6, 6)[classes].numpy()
    maps = method(network, seen, classes)
    for image, place in np.ndindex(2, 2):
        expected = by_hand(seen.features[image].numpy(), gradients[image, place])
        assert_close(maps[image, place].numpy(), expected)


@pytest.mark.parametrize("pool", get_args(Pool))
@pytest.mark.parametrize("name", network_params(["tiny_gap", "alexnet_gap", "vgg16_gap"]))
@torch.no_grad()
def test_behind_pooling_grad_cam_is_the_class_map(name: str, pool: str, classes: Tensor) -> None:
    network = thin_network(name, pool=pool)
    seen = look(network, torch.randn(2, 3, *network.facts.input_size).double())
    height, width = seen.features.shape[-2:]
    expected = network.class_maps(seen.features, classes).clamp(min=0) / (height * width)
    assert_close(GradCam()(network, seen, classes), expected, rtol=1e-10, atol=1e-14)


def test_it_agrees_with_captum(network: GapNet, images: Tensor, classes: Tensor) -> None:
    captum = pytest.importorskip("captum.attr")
    maps = GradCam()(network, look(network, images), classes)
    peer = captum.LayerGradCam(network, network.trunk)
    for place, target in enumerate(classes.T):
        theirs = peer.attribute(images, target=target, relu_attributions=True)
        assert_close(maps[:, place], theirs[:, 0], rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(
    ("method", "peer"),
    [(GradCam(), "GradCAM"), (GradCamPlusPlus(), "GradCAMPlusPlus")],
    ids=["grad_cam", "grad_cam_plus_plus"],
)
def test_it_agrees_with_pytorch_grad_cam(
    network: GapNet, images: Tensor, classes: Tensor, method: Saliency, peer: str
) -> None:
    theirs = getattr(pytest.importorskip("pytorch_grad_cam"), peer)
    with torch.no_grad():  # gradients well above the 1e-6 that it adds below its fraction
        raise_gradients(network)
    maps = method(network, look(network, images), classes)
    for place, target in enumerate(classes.T.tolist()):
        expected = raw_maps(theirs, network, images, target)
        assert_close(maps[:, place].numpy(), expected, rtol=1e-4, atol=1e-6 * expected.max())


def raise_gradients(network: GapNet) -> None:
    """Scale a head so that the largest gradient of a score by a feature is 100."""
    features = network.forward_features(torch.randn(1, 3, *network.facts.input_size).double())
    with torch.enable_grad():
        features.requires_grad_()
        (gradient,) = torch.autograd.grad(network.forward_head(features)[0, 0], features)
    network.head.linear.weight *= 100 / gradient.abs().max()


def raw_maps(peer: type, network: GapNet, images: Tensor, target: list[int]) -> np.ndarray:
    """Run the other library, and take its maps before it resizes and rescales them."""
    targets = [itemgetter(label) for label in target]
    with peer(network, [network.trunk]) as cam:
        cam(images, targets=targets)
        hooked = cam.activations_and_grads
        features, gradients = hooked.activations[0].numpy(), hooked.gradients[0].numpy()
        return np.maximum(cam.get_cam_image(images, network.trunk, targets, features, gradients), 0)


def test_plus_plus_is_right_where_squares_of_gradients_underflow() -> None:
    network = linear(6).float()
    assert isinstance(network.head, FlatHead)
    torch.nn.init.uniform_(network.head.linear.weight, 0, 1e-24)
    seen = look(network, torch.rand(1, 3, 6, 6))
    assert (GradCamPlusPlus()(network, seen, torch.zeros(1, 1, dtype=torch.long)) > 0).all()
