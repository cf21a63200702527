"""The order in which a training sees its images."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

MIXED = 8  # shards that are shuffled together, unless told otherwise


class Chunks(NamedTuple):
    """Say which images lie together: the rows (n,) of each chunk.

    Each row is in one chunk; `mixed` chunks at a time are shuffled together.
    """

    rows: Sequence[Tensor]
    mixed: int = MIXED


def shuffled(count: int, generator: torch.Generator, chunks: Chunks | None = None) -> list[int]:
    """Shuffle the rows from 0 to `count`.

    With chunks, no stretch of the order takes rows from more than `mixed` of them. They come in at
    random, one at a time, and each goes out again when its last rows have been drawn: whoever
    fetches chunks waits for one, and never for many. Where all may be mixed, the order is the same
    as without chunks.
    """
    if chunks is None or chunks.mixed >= len(chunks.rows):
        return torch.randperm(count, generator=generator).tolist()
    turns = torch.randperm(len(chunks.rows), generator=generator).tolist()
    # A chunk that comes in at a turn gives a part of its rows at that and each following turn.
    lots: list[list[Tensor]] = [[] for _ in range(len(turns) + chunks.mixed - 1)]
    for turn, chunk in enumerate(turns):
        parts = _shuffle(chunks.rows[chunk], generator).tensor_split(chunks.mixed)
        for later, part in enumerate(parts):
            lots[turn + later].append(part)
    order: list[int] = torch.cat([_shuffle(torch.cat(lot), generator) for lot in lots]).tolist()
    return order


def _shuffle(rows: Tensor, generator: torch.Generator) -> Tensor:
    return rows[torch.randperm(len(rows), generator=generator)]
