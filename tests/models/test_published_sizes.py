"""Published networks with larger images, or with the last stride removed."""

from pathlib import Path
from typing import Any

import pytest
import torch

import gapnet
from gapnet.models.network_choice import NetworkChoice
from tests.refusals import refused

NAME, MOBILE = "timm/resnet18", "timm/mobilenetv3_small_050"


@pytest.mark.parametrize(
    ("sizes", "cells"),
    [
        ({}, 7),
        ({"input_size": 192}, 6),
        ({"input_size": 320}, 10),
        ({"input_size": 192, "stride": 16}, 12),
    ],
)
def test_larger_images_and_a_smaller_stride_give_finer_maps(
    sizes: dict[str, int], cells: int
) -> None:
    network = gapnet.published(NAME, pretrained=False, **sizes)
    (explanation,) = gapnet.explain(network, torch.zeros(3, 60, 40, dtype=torch.uint8))
    assert network.facts.map_size == (cells, cells)
    assert explanation.maps.shape == (1, 60, 40)


@pytest.mark.parametrize("named", [{"path": Path("run")}, {"published": "hf-hub:owner/name"}])
def test_a_saved_network_keeps_its_sizes(named: dict[str, Any]) -> None:
    with refused("input_size", 352):
        NetworkChoice(**named, input_size=352)
    with refused("stride", 16):
        NetworkChoice(**named, stride=16)


def test_a_network_without_class_maps_keeps_its_stride() -> None:
    with refused("stride", 16):
        gapnet.published(MOBILE, pretrained=False, stride=16)


def test_a_network_without_class_maps_takes_larger_images() -> None:
    network = gapnet.published(MOBILE, pretrained=False, input_size=352)
    assert network.facts.input_size == (352, 352)


def test_a_stride_that_no_network_has_is_refused() -> None:
    with refused("stride", 12):
        gapnet.published(NAME, pretrained=False, input_size=192, stride=12)
