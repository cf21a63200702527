"""Nearest neighbours of vectors of length 1, in blocks."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gapnet.retrieval.unit_vectors import unit
from gapnet.system.progress import track
from gapnet.transfer.feature_rows import Vectors

QUERIES, BASE = 1024, 8192  # vectors of a block: 32 MB of similarities
NOBODY = -1  # in place of a row of the base


class Neighbours(NamedTuple):
    """Rows of the base (Q, k), nearest first, and their similarities (Q, k)."""

    rows: NDArray[np.int64]
    similarities: Vectors

    def take(self, places: NDArray[np.int64]) -> "Neighbours":
        """Return the neighbours at places of each row, (Q, m)."""
        rows, similarities = (np.take_along_axis(values, places, 1) for values in self)
        return Neighbours(rows.astype(np.int64), similarities.astype(np.float32))


def nearest(
    queries: Vectors, base: Vectors, count: int, *, without: NDArray[np.int64] | None = None
) -> Neighbours:
    """Return the `count` vectors of a base (N, D) that are most similar to each query (Q, D).

    Args:
        queries: of length 1.
        base: of length 1.
        count: neighbours of each query; fewer if the base has fewer vectors.
        without: a row of the base for each query that does not count, such as the query itself;
            -1 for none, (Q,).
    """
    left_out = np.full(len(queries), NOBODY) if without is None else without
    count = min(count, len(base) - bool((left_out != NOBODY).any()))
    starts = range(0, len(queries), QUERIES)
    blocks = [
        _nearest_of_block(queries[start : start + QUERIES], base, count, left_out[start:])
        for start in track(starts, "neighbours", total=len(starts), leave=False)
    ]
    rows, similarities = zip(*blocks, strict=True)
    return Neighbours(np.concatenate(rows), np.concatenate(similarities))


def _nearest_of_block(
    queries: Vectors, base: Vectors, count: int, without: NDArray[np.int64]
) -> Neighbours:
    best = Neighbours(
        np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32)
    )
    for start in range(0, len(base), BASE):
        similarities = queries @ base[start : start + BASE].T
        _leave_out(similarities, without[: len(queries)] - start)
        rows = np.broadcast_to(np.arange(start, start + similarities.shape[1]), similarities.shape)
        merged = Neighbours(
            np.concatenate([best.rows, rows], 1),
            np.concatenate([best.similarities, similarities], 1),
        )
        best = _best(merged, count)
    return best


def _best(some: Neighbours, count: int) -> Neighbours:
    """Return the most similar ones in order; of equally similar ones the first."""
    if some.rows.shape[1] > count:
        some = some.take(np.argpartition(-some.similarities, count - 1, axis=1)[:, :count])
    return some.take(np.lexsort((some.rows, -some.similarities), axis=1))


def _leave_out(similarities: Vectors, columns: NDArray[np.int64]) -> None:
    """Set a similarity of each row to minus infinity, where its column is in the block."""
    inside = np.nonzero((columns >= 0) & (columns < similarities.shape[1]))[0]
    similarities[inside, columns[inside]] = -np.inf


def expanded(queries: Vectors, base: Vectors, count: int) -> Vectors:
    """Return queries with the sum of their `count` nearest neighbours added (query expansion)."""
    rows, _ = nearest(queries, base, count)
    return unit(queries + np.stack([base[some].sum(0) for some in rows]))


def rankings(queries: Vectors, base: Vectors) -> Iterator[NDArray[np.int64]]:
    """Yield all rows of the base for each query, most similar first; equal ones in their order."""
    for start in range(0, len(queries), QUERIES // 16):
        similarities = queries[start : start + QUERIES // 16] @ base.T
        yield from (np.argsort(-row, kind="stable") for row in similarities)
