"""Time and memory of a device that works while Python goes on."""

import time

import torch

GIB = 2**30


def now() -> float:
    """Give the time in seconds once the GPU has done all that it was asked to."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def forget_peak() -> None:
    """Count peak memory from here on."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def peak_gib() -> float | None:
    """Give the most GPU memory that tensors took at a time; None without a GPU."""
    if not torch.cuda.is_available():
        return None
    return round(torch.cuda.max_memory_allocated() / GIB, 2)
