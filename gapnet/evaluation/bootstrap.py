"""How far a figure might lie from what more images of the same kind would give."""

import numpy as np
from torch import Tensor

CHUNK = 2_000_000  # draws at a time, to bound the memory


def interval(
    values: Tensor, *, resamples: int, seed: int, level: float = 0.95
) -> tuple[float, float]:
    """Give the percentile bootstrap interval of the mean of values (N,).

    >>> import torch
    >>> interval(torch.ones(50), resamples=100, seed=0)
    (1.0, 1.0)
    """
    rng = np.random.default_rng(seed)
    array = values.double().numpy()
    rows = max(1, CHUNK // len(array))
    means = [
        array[rng.integers(0, len(array), (min(rows, resamples - start), len(array)))].mean(1)
        for start in range(0, resamples, rows)
    ]
    low, high = np.quantile(np.concatenate(means), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
