"""Pixels above thresholds, against resizing whole maps."""

import pytest
import torch
from torch.nn.functional import interpolate

from gapnet.ops.pixels_above import pixels_above


@pytest.mark.parametrize(
    ("cells", "size"),
    [
        ((7, 7), (112, 112)),
        ((5, 9), (113, 50)),
        ((1, 1), (4, 6)),
        ((9, 8), (4, 5)),
        ((6, 6), (6, 6)),
    ],
)
def test_pixels_above_are_those_of_resized_maps(
    cells: tuple[int, int], size: tuple[int, int]
) -> None:
    maps, thresholds = torch.randn(30, *cells), torch.linspace(-4, 3, 30)
    resized = interpolate(maps[None].double(), size=size, mode="bilinear")[0]
    mask = torch.zeros(30, size[0] * size[1], dtype=torch.bool)
    units, places = pixels_above(maps, thresholds, size)
    mask[units, places] = True
    assert torch.equal(mask, (resized > thresholds[:, None, None]).flatten(1))
    assert len(units) == mask.sum()
