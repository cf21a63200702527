"""How far a figure might lie from what more images of the same kind would give."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

CHUNK = 4_000_000  # draws at a time, to bound the memory
LEVEL = 0.95


def resampled(count: int, *, resamples: int, seed: int) -> Iterator[Tensor]:
    """Draw `count` images with replacement, again and again: how often each came, (some, count)."""
    rng = np.random.default_rng(seed)
    rows = max(1, CHUNK // count)
    for start in range(0, resamples, rows):
        drawn = rng.integers(0, count, (min(rows, resamples - start), count))
        drawn += np.arange(len(drawn))[:, None] * count
        times = np.bincount(drawn.ravel(), minlength=drawn.size)
        yield torch.from_numpy(times).view(len(drawn), count).double()


def bounds(statistics: Tensor) -> tuple[Tensor, Tensor]:
    """Give the percentile interval of statistics (resamples, F): low and high, (F,)."""
    levels = torch.tensor([(1 - LEVEL) / 2, (1 + LEVEL) / 2], dtype=torch.double)
    low, high = torch.quantile(statistics, levels, dim=0)
    return low, high


def intervals(values: Tensor, *, resamples: int, seed: int) -> tuple[Tensor, Tensor]:
    """Give the percentile bootstrap interval of the means of values (N, F): low and high, (F,).

    All F are drawn together, so that their differences may be compared, too.

    >>> low, high = intervals(torch.ones(50, 1), resamples=100, seed=0)
    >>> low.item(), high.item()
    (1.0, 1.0)
    """
    drawn = resampled(len(values), resamples=resamples, seed=seed)
    means = [times @ values.double() / len(values) for times in drawn]
    return bounds(torch.cat(means))
