"""Bootstrap intervals of metrics, by resampling images."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

CHUNK = 250_000  # draws at a time, to bound the memory
LEVEL = 0.95


def resampled_sums(values: Tensor, *, resamples: int, seed: int) -> Tensor:
    """Return sums of values (N, F) over N images drawn with replacement: (resamples, F).

    All F use the same draws, so that their differences can be compared.
    """
    columns = np.ascontiguousarray(values.double().numpy().T)
    counts = draw_counts(len(values), resamples=resamples, seed=seed)
    # einsum, not BLAS, which is not faster on busy cores and needs more memory
    sums = [np.einsum("rn,fn->rf", chunk, columns) for chunk in counts]
    return torch.from_numpy(np.concatenate(sums))


def bounds(statistics: Tensor) -> tuple[Tensor, Tensor]:
    """Return the percentile interval of statistics (resamples, F): low and high, (F,)."""
    levels = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    low, high = torch.from_numpy(np.quantile(statistics.numpy(), levels, axis=0))
    return low, high


def intervals(values: Tensor, *, resamples: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return the percentile bootstrap interval of the means of values (N, F): low and high, (F,).

    >>> low, high = intervals(torch.ones(50, 1), resamples=100, seed=0)
    >>> low.item(), high.item()
    (1.0, 1.0)
    """
    return bounds(resampled_sums(values, resamples=resamples, seed=seed) / len(values))


def nested_interval(values: Tensor, *, resamples: int, seed: int) -> tuple[float, float]:
    """Return the percentile interval of the mean of values (N, S) of N images in S runs.

    Images and runs are both drawn with replacement, so that differences between runs widen it.
    """
    means = resampled_sums(values, resamples=resamples, seed=seed) / len(values)
    runs = np.random.default_rng([seed, 1]).integers(0, values.shape[1], means.shape)
    drawn = means.gather(1, torch.from_numpy(runs)).mean(1, keepdim=True)
    low, high = bounds(drawn)
    return low.item(), high.item()


def draw_counts(count: int, *, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Yield how often every image is drawn in some resamples, (some, count)."""
    rng = np.random.default_rng(seed)
    rows = max(1, CHUNK // count)
    for start in range(0, resamples, rows):
        drawn = rng.integers(0, count, (min(rows, resamples - start), count))
        drawn += np.arange(len(drawn))[:, None] * count
        times = np.bincount(drawn.ravel(), minlength=drawn.size)
        yield times.reshape(drawn.shape).astype(np.float64)
