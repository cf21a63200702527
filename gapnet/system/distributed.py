"""Communication between the ranks of one job, once they are connected."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import distributed

T = TypeVar("T")


def connected() -> bool:
    """Return whether this process is connected to the other ranks of its job."""
    return distributed.is_available() and distributed.is_initialized()


def rank_and_count() -> tuple[int, int]:
    """Return the rank of this process, and the number of ranks."""
    return (distributed.get_rank(), distributed.get_world_size()) if connected() else (0, 1)


def wait_for_all() -> None:
    """Wait until every rank has called this."""
    if connected():
        distributed.barrier()


@contextmanager
def first_on_machine() -> Iterator[None]:
    """Run the block on the first rank of every machine, and then on its other ranks."""
    waits = os.environ.get("LOCAL_RANK", os.environ.get("SLURM_LOCALID", "0")) != "0"
    if waits:
        wait_for_all()
    yield
    if not waits:
        wait_for_all()


def maximum(values: Sequence[float], device: torch.device) -> list[float]:
    """Return the maximum of each value over all ranks, which must all call this."""
    if not connected():
        return list(values)  # no tensor on the device, which would have to be waited for
    maxima = torch.tensor(values, dtype=torch.float32, device=device)
    distributed.all_reduce(maxima, distributed.ReduceOp.MAX)
    return maxima.tolist()


def gather(values: Sequence[T]) -> list[T]:
    """Return the values of all ranks, in the order of the ranks; they must all call this."""
    if not connected():
        return list(values)
    lists: list[Sequence[T]] = [()] * distributed.get_world_size()
    distributed.all_gather_object(lists, list(values))
    return [value for rank_values in lists for value in rank_values]
