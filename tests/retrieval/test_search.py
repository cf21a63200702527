"""Nearest neighbours, against a full sort."""

import numpy as np
import pytest

from gapnet.retrieval import search
from gapnet.retrieval.search import expanded, nearest, rankings
from gapnet.retrieval.unit_vectors import unit


def drawn(count: int, size: int = 6, seed: int = 0) -> np.ndarray:
    return unit(np.random.default_rng(seed).normal(size=(count, size)).astype(np.float32))


@pytest.mark.parametrize("blocks", [(1024, 8192), (3, 7)])
def test_neighbours_are_those_of_a_full_sort(
    blocks: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "QUERIES", blocks[0])
    monkeypatch.setattr(search, "BASE", blocks[1])
    queries, base = drawn(10), drawn(50, seed=1)
    found = nearest(queries, base, 5)
    expected = np.argsort(-(queries @ base.T), axis=1)[:, :5]
    assert found.rows.tolist() == expected.tolist()
    np.testing.assert_allclose(
        found.similarities, np.take_along_axis(queries @ base.T, expected, 1), rtol=1e-6
    )


def test_an_image_is_not_its_own_neighbour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "BASE", 4)
    base = drawn(9)
    assert nearest(base, base, 1).rows[:, 0].tolist() == list(range(9))
    found = nearest(base, base, 20, without=np.arange(9))
    assert found.rows.shape == (9, 8)
    assert all(row not in others for row, others in enumerate(found.rows.tolist()))
    assert np.isfinite(found.similarities).all()


def test_equal_images_come_in_their_order() -> None:
    base = np.repeat(drawn(2), 3, 0)
    assert nearest(base[:1], base, 3).rows.tolist() == [[0, 1, 2]]
    assert next(rankings(base[:1], base)).tolist()[:3] == [0, 1, 2]


def test_the_length_of_a_vector_does_not_matter_and_zeros_are_similar_to_none() -> None:
    base = drawn(5)
    scaled = unit(base * np.array([[1], [10], [100], [1e-3], [0]], np.float32))
    np.testing.assert_allclose(scaled[:4], base[:4], rtol=1e-5)
    assert not scaled[4].any()


def test_expansion_adds_the_nearest_images() -> None:
    queries, base = drawn(3), drawn(20, seed=1)
    for query, ours in zip(queries, expanded(queries, base, 10), strict=True):
        total = query + base[np.argsort(-(base @ query))[:10]].sum(0)
        np.testing.assert_allclose(ours, total / np.linalg.norm(total), rtol=1e-5, atol=1e-6)
