"""Average precision and the rules of the benchmarks, against their programs, written again."""

from collections.abc import Iterable

import numpy as np
import pytest

from gapnet.data.readers.retrieval_truth import Query
from gapnet.retrieval.average_precision import average_precision, places_of, precision_at
from gapnet.retrieval.scoring import LEVELS, score_rankings
from tests.refusals import refused

NAMES = "abcdefgh"


def oxford_ap(positive: set[str], junk: set[str], ranked: Iterable[str]) -> float:
    """Compute the AP as the program of Oxford's authors does, image by image."""
    old_recall, old_precision, ap, hits, shown = 0.0, 1.0, 0.0, 0, 0
    for image in ranked:
        if image in junk:
            continue
        hits += image in positive
        recall, precision = hits / len(positive), hits / (shown + 1)
        ap += (recall - old_recall) * (old_precision + precision) / 2
        old_recall, old_precision, shown = recall, precision, shown + 1
    return ap


@pytest.mark.parametrize("seed", range(20))
def test_average_precision_is_that_of_the_authors_program(seed: int) -> None:
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 3, 30)  # 0: positive, 1: junk
    kinds[:2] = 0, 2
    order = rng.permutation(30)
    places = places_of((kinds == 0)[order], (kinds == 1)[order])
    positive, junk = ({*np.nonzero(kinds == kind)[0]} for kind in (0, 1))
    expected = oxford_ap(positive, junk, order)
    assert average_precision(places, len(positive)) == pytest.approx(expected, abs=1e-12)


def test_a_perfect_ranking_has_precision_1_and_a_missing_image_counts() -> None:
    assert average_precision(np.arange(4), 4) == 1
    assert average_precision(np.arange(2), 4) == 0.5
    assert average_precision(np.empty(0, int), 4) == 0


def test_precision_stops_at_the_last_positive_image() -> None:
    assert precision_at(np.array([0, 2]), 10) == 2 / 3  # as in the revisited evaluation
    assert precision_at(np.array([0, 2]), 1) == 1
    assert precision_at(np.array([4]), 2) == 0


def query(**groups: str) -> Query:
    return Query("q", "q", None, {name: frozenset(images) for name, images in groups.items()})


def ranked(order: str) -> np.ndarray:
    return np.array([NAMES.index(image) for image in order])


def test_the_revisited_levels_by_hand() -> None:
    one = query(easy="ab", hard="c", junk="d")
    scores = score_rankings([one], [ranked("dcaebfgh")], NAMES, "revisited")
    values = {score.level: score.values for score in scores}
    assert {level: score["mean_average_precision"][0] for level, score in values.items()} == {
        "revisited_easy": pytest.approx(oxford_ap({*"ab"}, {*"cd"}, "aebfgh"), abs=1e-12),
        "revisited_medium": pytest.approx(oxford_ap({*"abc"}, {"d"}, "caebfgh"), abs=1e-12),
        "revisited_hard": 1,
    }
    assert values["revisited_easy"]["mean_precision_at_5"][0] == 2 / 3
    assert values["revisited_medium"]["mean_precision_at_1"][0] == 1


def test_a_query_without_positive_images_does_not_count() -> None:
    queries = [query(easy="", hard="a", junk=""), query(easy="b", hard="", junk="")]
    easy, medium, hard = score_rankings(
        queries, [ranked("abcdefgh"), ranked("bacdefgh")], NAMES, "revisited"
    )
    assert np.isnan(easy.values["mean_average_precision"]).tolist() == [True, False]
    assert np.isnan(hard.values["mean_average_precision"]).tolist() == [False, True]
    assert medium.values["mean_average_precision"].tolist() == [1, 1]


def test_junk_is_removed_and_the_query_of_holidays_is_ignored() -> None:
    (oxford,) = score_rankings(
        [query(good="a", ok="b", junk="cd")], [ranked("cadbefgh")], NAMES, "oxford"
    )
    assert oxford.values["mean_average_precision"] == [1]
    (holidays,) = score_rankings(
        [query(same="bc", itself="a")], [ranked("abdcefgh")], NAMES, "holidays"
    )
    expected = oxford_ap({*"bc"}, {"a"}, "abdcefgh")
    assert holidays.values["mean_average_precision"][0] == pytest.approx(expected)


def test_an_unreadable_query_retrieves_nothing() -> None:
    (oxford,) = score_rankings([query(good="a", ok="", junk="")], [None], NAMES, "oxford")
    assert oxford.values["mean_average_precision"] == [0]


@pytest.mark.parametrize("rules", LEVELS)
def test_ground_truth_without_positive_images_is_refused(rules: str) -> None:
    groups = dict.fromkeys(("good", "ok", "easy", "hard", "junk", "same", "itself"), "")
    with refused(rules if rules != "revisited" else "revisited_easy"):
        score_rankings([query(**groups)], [None], NAMES, rules)
