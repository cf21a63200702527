"""Hard-negative mining, against an SVM on all negatives."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score
from sklearn.svm import LinearSVC

from gapnet.metrics.average_precision import average_precision
from gapnet.transfer.mining import Mining, Plane, mine
from gapnet.transfer.precision_interval import precision_intervals, weighted_precisions
from tests.refusals import refused

Drawn = tuple[NDArray[np.float32], NDArray[np.bool_]]


def fit(vectors: NDArray[np.float64], positive: NDArray[np.bool_]) -> Plane:
    svm = LinearSVC(dual=False, tol=1e-8, max_iter=10_000).fit(vectors, positive)
    return Plane(svm.coef_[0], float(svm.intercept_[0]))


def drawn(count: int = 4000, seed: int = 0) -> Drawn:
    """Draw a concept of two parts, and negatives: most have none, one in 50 has one of them."""
    rng = np.random.default_rng(seed)
    parts = np.zeros((count, 2))
    parts[: count // 20] = 1
    near = np.arange(count // 20, count // 20 + count // 50)
    parts[near, near % 2] = 1.3
    noise = rng.normal(0, 0.25, (count, 12))
    vectors = np.hstack([parts, np.zeros((count, 10))]) + noise
    return vectors.astype(np.float32), np.arange(count) < count // 20


def test_the_mined_svm_is_that_of_all_negatives() -> None:
    vectors, positive = drawn()
    rounds = mine(vectors, positive, Mining(start=30, added=60, rounds=50), fit)
    whole = fit(vectors.astype(np.float64), positive)
    np.testing.assert_allclose(rounds[-1].plane.weight, whole.weight, atol=2e-3)
    assert rounds[-1].plane.bias == pytest.approx(whole.bias, abs=2e-3)
    assert rounds[-1].hard == 0
    assert rounds[-1].negatives < (~positive).sum() / 2


def test_mining_ranks_other_images_better_than_one_round() -> None:
    vectors, positive = drawn()
    rounds = mine(vectors, positive, Mining(start=30), fit)
    others, truth = drawn(seed=1)
    first, last = (
        average_precision_score(truth, rounds[row].plane.decisions(others)) for row in (0, -1)
    )
    assert last > first + 0.05


def test_one_round_mines_nothing() -> None:
    vectors, positive = drawn(400)
    (only,) = mine(vectors, positive, Mining(start=30, rounds=1), fit)
    assert (only.negatives, only.added, only.dropped) == (30, 0, 0)
    assert only.hard > 0


def test_rounds_say_what_they_change() -> None:
    vectors, positive = drawn(2000)
    rounds = mine(vectors, positive, Mining(start=30, added=7, rounds=4), fit)
    for before, after in pairwise(rounds):
        assert before.added == min(7, before.hard)
        assert after.negatives == before.negatives + before.added - before.dropped


def test_the_draw_follows_the_seed() -> None:
    vectors, positive = drawn(400)
    first, same, other = (
        mine(vectors, positive, Mining(start=20, rounds=1, seed=seed), fit)[0].plane.bias
        for seed in (0, 0, 1)
    )
    assert first == same != other


@pytest.mark.parametrize("name", ["start", "added", "rounds"])
def test_wrong_values_are_named(name: str) -> None:
    with refused(f"mining.{name}=0"):
        Mining(**{name: 0})


# Intervals of the average precision


def test_a_resample_has_the_average_precision_of_its_images() -> None:
    rng = np.random.default_rng(0)
    scores, positive = rng.integers(0, 9, 40).astype(float), rng.random(40) < 0.4
    counts = rng.integers(0, 3, (5, 40)).astype(float)
    found = weighted_precisions(scores, positive, counts)
    for row, times in zip(found, counts.astype(int), strict=True):
        drawn_scores, drawn_truth = scores.repeat(times), positive.repeat(times)
        assert row == pytest.approx(average_precision_score(drawn_truth, drawn_scores))


def test_the_interval_of_a_gain_is_of_paired_differences() -> None:
    rng = np.random.default_rng(0)
    positive = rng.random(200) < 0.2
    good = positive + rng.normal(0, 0.4, 200)
    scores = np.stack([good + rng.normal(0, 0.3, 200), good], 1)
    first, last, gain = precision_intervals(scores, positive, resamples=300, seed=0)
    values = [average_precision(column, positive) for column in scores.T]
    assert first[0] < values[0] < first[1]
    assert last[0] < values[1] < last[1]
    assert gain[0] < values[1] - values[0] < gain[1]
    assert gain[1] - gain[0] < (first[1] - first[0]) + (last[1] - last[0])
