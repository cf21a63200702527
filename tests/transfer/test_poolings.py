"""SPoC and CroW, against a second computation in numpy."""

import numpy as np
import pytest
import torch

from gapnet.transfer.extract import vector_sizes
from gapnet.transfer.layers import Layer
from gapnet.transfer.poolings import crow, spoc
from tests.models.conftest import thin_network
from tests.refusals import refused

RNG = np.random.default_rng(0)


def sparse_maps(channels: int = 5, height: int = 4, width: int = 6) -> np.ndarray:
    maps = np.maximum(RNG.normal(size=(2, channels, height, width)), 0)
    maps[0, 1] = 0  # a channel that is never above 0
    return maps


def spoc_of(maps: np.ndarray) -> np.ndarray:
    """Compute SPoC of one image (C, h, w) cell by cell."""
    channels, height, width = maps.shape
    centre, sigma = ((height - 1) / 2, (width - 1) / 2), min(height, width) / 2 / 3
    total = np.zeros(channels)
    for y in range(height):
        for x in range(width):
            far = (y - centre[0]) ** 2 + (x - centre[1]) ** 2
            total += np.exp(-far / (2 * sigma**2)) * maps[:, y, x]
    return total


def crow_of(maps: np.ndarray) -> np.ndarray:
    """Compute CroW of one image (C, h, w) as its authors' program does."""
    sums = maps.sum(0)
    spatial = np.sqrt(sums / np.sqrt((sums**2).sum()))
    area = maps.shape[1] * maps.shape[2]
    shares = np.array([np.count_nonzero(channel) / area for channel in maps])
    weights = [np.log(shares.sum() / share) if share > 0 else 0 for share in shares]
    return (maps * spatial).sum((1, 2)) * np.array(weights)


@pytest.mark.parametrize(("ours", "theirs"), [(spoc, spoc_of), (crow, crow_of)])
def test_maps_are_pooled_as_in_numpy(ours: object, theirs: object) -> None:
    maps = sparse_maps()
    expected = np.stack([theirs(image) for image in maps])
    np.testing.assert_allclose(ours(torch.from_numpy(maps)), expected, rtol=1e-12)


def test_spoc_prefers_the_centre_and_is_the_same_mirrored() -> None:
    maps = torch.zeros(2, 1, 5, 5)
    maps[0, 0, 2, 2] = maps[1, 0, 0, 0] = 1
    centre, corner = spoc(maps).flatten().tolist()
    assert centre == 1 > 10 * corner
    some = torch.from_numpy(sparse_maps())
    torch.testing.assert_close(spoc(some), spoc(some.flip(-1)))


def test_crow_of_empty_maps_is_zero() -> None:
    assert not crow(torch.zeros(1, 3, 2, 2)).any()


def test_crow_of_maps_with_negative_values_is_refused() -> None:
    with refused("layer=trunk.0:crow"):
        Layer.of("trunk.0:crow").vector(torch.tensor([[[[-1.0]]]]))
    assert vector_sizes(thin_network("tiny_gap"), [Layer("trunk", "crow")]) == {"trunk:crow": 8}
