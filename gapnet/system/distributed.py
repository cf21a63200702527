"""What the processes of one job tell each other, once they are connected."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import distributed

T = TypeVar("T")


def connected() -> bool:
    """Tell whether this process is connected with the others of its job."""
    return distributed.is_available() and distributed.is_initialized()


def place() -> tuple[int, int]:
    """Give the rank of this process, and how many there are."""
    return (distributed.get_rank(), distributed.get_world_size()) if connected() else (0, 1)


def meet() -> None:
    """Wait until all processes are here."""
    if connected():
        distributed.barrier()


@contextmanager
def one_ahead() -> Iterator[None]:
    """Have one process of each machine do something before the others do it."""
    waits = os.environ.get("LOCAL_RANK", os.environ.get("SLURM_LOCALID", "0")) != "0"
    if waits:
        meet()
    yield
    if not waits:
        meet()


def highest(values: Sequence[float], device: torch.device) -> list[float]:
    """Give the highest of each value over all processes, which must all ask at the same point."""
    told = torch.tensor(values, dtype=torch.float32, device=device)
    if connected():
        distributed.all_reduce(told, distributed.ReduceOp.MAX)
    return told.tolist()


def gathered(values: Sequence[T]) -> list[T]:
    """List the values of all processes, in the order of the processes."""
    if not connected():
        return list(values)
    lists: list[Sequence[T]] = [()] * distributed.get_world_size()
    distributed.all_gather_object(lists, list(values))
    return [each for one in lists for each in one]
