"""A removed stride: finer maps, of which the old ones are every other cell."""

from pathlib import Path

import pytest
import torch
from torch import nn

from gapnet.models import GapNet, create
from gapnet.models.saved import load, save
from tests.refusals import refused

SIDE = 64
SMALL = "timm/test_efficientnet"


def network(name: str, **options: object) -> GapNet:
    return create("published", {"num_classes": 4, "name": name, "input_size": SIDE, **options})


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("timm/test_efficientnet", 0),
        pytest.param("torchvision/resnet18", 0, marks=pytest.mark.slow),
        # TensorFlow pads the last side first
        pytest.param("timm/tf_efficientnet_lite0", 1, marks=pytest.mark.slow),
    ],
)
def test_the_old_maps_are_every_other_cell_of_the_new_ones(name: str, first: int) -> None:
    plain, finer = network(name).eval(), network(name, stride=16).eval()
    finer.load_state_dict(plain.state_dict())
    images = torch.randn(2, 3, SIDE, SIDE)
    with torch.no_grad():
        coarse, fine = plain.forward_features(images), finer.forward_features(images)
    assert (plain.facts.map_size, finer.facts.map_size) == ((2, 2), (4, 4))
    torch.testing.assert_close(fine[..., first::2, first::2], coarse, atol=1e-4, rtol=1e-4)


def test_without_dilation_the_convs_look_at_neighbouring_cells() -> None:
    changed = network(SMALL, stride=16, dilate=False)
    convs = [part for part in changed.trunk.modules() if isinstance(part, nn.Conv2d)]
    assert changed.facts.map_size == (4, 4)
    assert {conv.dilation for conv in convs} == {(1, 1)}


def test_mean_of_a_finer_map_plus_bias_is_the_logit() -> None:
    finer = network(SMALL, stride=8).eval()
    features = finer.forward_features(torch.randn(1, 3, SIDE, SIDE))
    maps = finer.class_maps(features, torch.arange(4)[None])
    assert maps.shape == (1, 4, 8, 8)
    expected = maps.mean((2, 3)) + finer.head.bias
    torch.testing.assert_close(finer.forward_head(features), expected, atol=1e-5, rtol=1e-5)


def test_a_saved_network_has_its_stride_again(tmp_path: Path) -> None:
    save(network(SMALL, stride=16), tmp_path)
    assert load(tmp_path).facts.map_size == (4, 4)


@pytest.mark.parametrize(
    ("name", "stride"),
    [
        (SMALL, 12),
        (SMALL, 64),
        ("timm/test_resnet", 16),  # its shortcut has a pooling with an even kernel
        pytest.param("timm/swin_tiny_patch4_window7_224", 16, marks=pytest.mark.slow),
    ],
)
def test_a_stride_that_cannot_be_reached_is_an_error(name: str, stride: int) -> None:
    with refused("model.stride"):
        network(name, stride=stride, **({"input_size": 224} if "swin" in name else {}))
