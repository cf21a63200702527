"""Random order of training images."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

MIXED = 8  # shards that are shuffled together by default


class Chunks(NamedTuple):
    """Images that are stored together: the rows (n,) of every chunk.

    A row is in one chunk; `mixed` chunks at a time are shuffled together.
    """

    rows: Sequence[Tensor]
    mixed: int = MIXED


def shuffled(count: int, generator: torch.Generator, chunks: Chunks | None = None) -> list[int]:
    """Shuffle the rows from 0 to `count`.

    With chunks, rows of at most `mixed` of them are drawn at a time. Chunks are opened in random
    order, one at a time, and closed after their last row, so that a process that fetches chunks
    waits for one and never for many. If all may be mixed, the order is the same as without chunks.
    """
    if chunks is None or chunks.mixed >= len(chunks.rows):
        return torch.randperm(count, generator=generator).tolist()
    turns = torch.randperm(len(chunks.rows), generator=generator).tolist()
    # A chunk that is opened at a turn gives a part of its rows at that and every following turn.
    lots: list[list[Tensor]] = [[] for _ in range(len(turns) + chunks.mixed - 1)]
    for turn, chunk in enumerate(turns):
        parts = _shuffle(chunks.rows[chunk], generator).tensor_split(chunks.mixed)
        for later, part in enumerate(parts):
            lots[turn + later].append(part)
    order: list[int] = torch.cat([_shuffle(torch.cat(lot), generator) for lot in lots]).tolist()
    return order


def _shuffle(rows: Tensor, generator: torch.Generator) -> Tensor:
    return rows[torch.randperm(len(rows), generator=generator)]
