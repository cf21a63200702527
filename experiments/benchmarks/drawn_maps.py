"""Class maps to time boxes on, drawn at random."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

SIDE = 14  # cells, as of the paper's networks
BLOBS, NOISE = 3, 0.05
SIZES = ((224, 224), (375, 500))  # (height, width) that maps are resized to


def blobs(seed: int) -> Tensor:
    """Draw a map (1, h, w) like that of a trained network: three blobs, and a little noise."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0, NOISE, (SIDE, SIDE))
    for _ in range(BLOBS):
        values += _blob(rng)
    return torch.from_numpy(values.astype(np.float32))[None]


def noise(seed: int) -> Tensor:
    """Draw a map (1, h, w) of noise: about 70 peaks, as of an untrained network."""
    return torch.randn(1, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


def _blob(rng: np.random.Generator) -> NDArray[np.float64]:
    y, x = np.mgrid[:SIDE, :SIDE]
    centre_y, centre_x = rng.uniform(2, SIDE - 2, 2)
    deviation, height = rng.uniform(1.2, 3), rng.uniform(0.3, 1)
    distance = (y - centre_y) ** 2 + (x - centre_x) ** 2
    return np.asarray(height * np.exp(-distance / (2 * deviation**2)))
