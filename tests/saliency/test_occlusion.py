"""Occlusion maps, compared with closed forms, a slow oracle and captum."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from gapnet.models import GapNet
from gapnet.saliency.base import look
from gapnet.saliency.perturbation.occlusion import Occlusion, patches
from tests.oracles import saliency as oracle
from tests.refusals import refused
from tests.saliency.conftest import linear, tiny_network


def test_without_one_pixel_the_score_of_a_linear_network_drops_by_the_pixel_s_share() -> None:
    network = linear(6)
    images = torch.randn(2, 3, 6, 6).double()
    classes = torch.tensor([[3, 0], [1, 2]])
    weights = network.head.linear.weight.detach().view(4, 3, 6, 6)[classes]
    maps = Occlusion(window=1, stride=1)(network, look(network, images), classes)
    assert_close(maps, (weights * images[:, None]).sum(2))


@pytest.mark.parametrize(("window", "stride"), [(1, 1), (4, 4), (5, 3), (7, 2), (8, 8)])
def test_a_pixel_has_the_mean_of_the_patches_over_it(window: int, stride: int) -> None:
    network = linear(9)
    images = torch.randn(1, 3, 9, 9).double()
    maps = Occlusion(window, stride)(network, look(network, images), torch.tensor([[2, 0]]))
    for place, label in enumerate((2, 0)):

        def score(image: np.ndarray, label: int = label) -> float:
            return network(torch.from_numpy(image)[None])[0, label].item()

        expected = oracle.occlusion(images[0].numpy(), score, window, stride)
        assert_close(maps[0, place].numpy(), expected)


@pytest.mark.parametrize(("window", "stride"), [(8, 8), (8, 4)])
def test_it_agrees_with_captum(
    network: GapNet, images: Tensor, classes: Tensor, window: int, stride: int
) -> None:
    captum = pytest.importorskip("captum.attr")
    if network.name == "alexnet":
        window, stride = 5 * window, 5 * stride
    maps = Occlusion(window, stride)(network, look(network, images), classes)
    for place, target in enumerate(classes.T):
        theirs = captum.Occlusion(network).attribute(
            images,
            target=target,
            sliding_window_shapes=(3, window, window),
            strides=(3, stride, stride),
            perturbations_per_eval=16,
        )
        assert theirs.dtype == torch.float32  # it rounds the sum before it divides
        assert_close(maps[:, place].float(), theirs[:, 0], rtol=2e-7, atol=0)


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_the_batch_changes_nothing(batch: int) -> None:
    network = linear(6)
    seen = look(network, torch.randn(3, 3, 6, 6).double())
    classes = torch.tensor([[3, 0], [1, 2], [0, 0]])
    expected = Occlusion(window=3, stride=2)(network, seen, classes)
    assert_close(Occlusion(window=3, stride=2, batch=batch)(network, seen, classes), expected)


@pytest.mark.parametrize("side", [3, 7, 8, 9, 10, 13, 24])
@pytest.mark.parametrize(("window", "stride"), [(3, 1), (3, 2), (3, 3), (8, 5)])
def test_patches_reach_both_borders_and_leave_no_gap(side: int, window: int, stride: int) -> None:
    covered = patches(side, window, stride)
    assert covered.any(0).all()
    assert (covered.sum(1) == min(window, side)).all()
    assert len(covered.unique(dim=0)) == len(covered)
    assert Occlusion(window, stride).passes(5, (side, 12)) == len(covered) * len(
        patches(12, window, stride)
    )


def test_an_image_that_is_not_square_has_a_map_of_its_size() -> None:
    network = tiny_network()
    seen = look(network, torch.randn(1, 3, 20, 32).double())
    assert Occlusion(8, 8)(network, seen, torch.tensor([[0]])).shape == (1, 1, 20, 32)


@pytest.mark.parametrize(
    ("name", "value"),
    [("window", 0), ("stride", -1), ("batch", 0), ("window", 2.5), ("stride", 40)],
)
def test_numbers_out_of_range_are_refused(name: str, value: float) -> None:
    with refused(f"saliency.{name}={value}"):
        Occlusion(**{name: value})


def test_a_patch_over_the_whole_image_is_refused() -> None:
    Occlusion(window=5, stride=5).check(linear(6))
    with refused("saliency.window=6"):
        Occlusion(window=6, stride=5).check(linear(6))
