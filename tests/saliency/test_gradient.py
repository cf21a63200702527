"""Gradient maps, compared with a closed form and captum."""

import pytest
import torch
from torch.testing import assert_close

from gapnet.models import GapNet
from gapnet.saliency.base import look
from gapnet.saliency.gradient.gradient import Gradient
from tests.saliency.conftest import linear


def test_the_map_of_a_linear_network_is_its_largest_weight_over_channels() -> None:
    network = linear(6)
    seen = look(network, torch.randn(2, 3, 6, 6).double())
    classes = torch.tensor([[3, 0], [1, 2]])
    expected = network.head.linear.weight.view(4, 3, 6, 6).abs().amax(1)[classes]
    assert torch.equal(Gradient()(network, seen, classes), expected)


@pytest.mark.filterwarnings("ignore::UserWarning:captum")
def test_it_agrees_with_captum(
    network: GapNet, images: torch.Tensor, classes: torch.Tensor
) -> None:
    captum = pytest.importorskip("captum.attr")
    maps = Gradient()(network, look(network, images), classes)
    for place, target in enumerate(classes.T):
        theirs = captum.Saliency(network).attribute(images.clone(), target=target, abs=True)
        assert_close(maps[:, place], theirs.amax(1), rtol=1e-12, atol=0)
