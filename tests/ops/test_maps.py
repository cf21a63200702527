import numpy as np
import pytest
import torch

from gapnet.ops.maps import class_map, normalise, upsample
from tests.oracles import maps as oracle


def test_class_map_is_the_weighted_sum_of_the_features() -> None:
    features = torch.randn(2, 5, 3, 4, dtype=torch.float64)
    weights = torch.randn(2, 3, 5, dtype=torch.float64)
    maps = class_map(features, weights)
    for image in range(2):
        for k in range(3):
            expected = oracle.class_map(features[image].numpy(), weights[image, k].numpy())
            np.testing.assert_allclose(maps[image, k].numpy(), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("small", "large"), [((1, 1), (5, 7)), ((3, 4), (11, 9)), ((7, 7), (7, 7)), ((6, 5), (3, 4))]
)
def test_upsample_is_bilinear_between_cell_centres(
    small: tuple[int, int], large: tuple[int, int]
) -> None:
    maps = torch.randn(2, *small, dtype=torch.float64)
    larger = upsample(maps, large)
    for cells, result in zip(maps, larger, strict=True):
        expected = oracle.upsample(cells.numpy(), large)
        np.testing.assert_allclose(result.numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("shift", [0.0, 3.0, -9.0])
def test_normalise_divides_by_the_maximum_and_drops_what_is_negative(shift: float) -> None:
    heat = torch.randn(6, 5, dtype=torch.float64) + shift
    np.testing.assert_allclose(normalise(heat).numpy(), oracle.normalise(heat.numpy()), atol=1e-12)


def test_a_map_without_a_positive_value_normalises_to_zero() -> None:
    maps = torch.tensor([[[0.0, 0.0]], [[-1.0, -2.0]], [[-1.0, 0.0]]])
    assert normalise(maps).abs().sum() == 0
