"""Scores of a retrieval: which images are positive or ignored, and the metrics of all queries."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from gapnet.data.readers.retrieval_truth import Query
from gapnet.errors import GapnetError
from gapnet.retrieval.average_precision import average_precision, places_of, precision_at

MEAN_AP = "mean_average_precision"
CLASSES = "classes"  # the rules of data with classes: images of the query's class are positive


@dataclass(frozen=True)
class Level:
    """Which groups of images are positive and which are ignored; and where precisions are taken."""

    positive: tuple[str, ...]
    ignored: tuple[str, ...]
    precisions: tuple[int, ...] = ()


FIRST = (1, 5, 10)  # precisions of the revisited rules
LEVELS: Mapping[str, Mapping[str, Level]] = MappingProxyType(
    {
        "oxford": {"oxford": Level(("good", "ok"), ("junk",))},
        "revisited": {
            "revisited_easy": Level(("easy",), ("junk", "hard"), FIRST),
            "revisited_medium": Level(("easy", "hard"), ("junk",), FIRST),
            "revisited_hard": Level(("hard",), ("junk", "easy"), FIRST),
        },
        "holidays": {"holidays": Level(("same",), ("itself",))},
        CLASSES: {CLASSES: Level(("same",), ("itself",), FIRST)},
    }
)


@dataclass(frozen=True)
class Scores:
    """Scores of all queries at one level, by metric; NaN for a query without positive images."""

    level: str
    values: Mapping[str, NDArray[np.float64]]


def score_rankings(
    queries: Sequence[Query],
    rankings: Iterable[NDArray[np.int64] | None],
    base: Sequence[str],
    rules: str,
) -> list[Scores]:
    """Score the ranking of each query at the levels of the rules.

    Args:
        queries: with groups of ids.
        rankings: rows of the base, most similar first; None if the query could not be read, which
            retrieves nothing.
        base: ids of the images that were ranked.
        rules: oxford, revisited, holidays or classes.
    """
    levels = LEVELS[rules]
    row_of = {image: row for row, image in enumerate(base)}
    scores: dict[str, list[list[float]]] = {name: [] for name in levels}
    for query, ranking in zip(queries, rankings, strict=True):
        for name, level in levels.items():
            scores[name].append(_score(query, ranking, row_of, level))
    return [_scores(name, scores[name], level) for name, level in levels.items()]


def _score(
    query: Query, ranking: NDArray[np.int64] | None, row_of: Mapping[str, int], level: Level
) -> list[float]:
    """Return the average precision and the precisions of a query."""
    positive, ignored = (_images(query, names) for names in (level.positive, level.ignored))
    count = len(positive - ignored)
    if not count:
        return [float("nan")] * (1 + len(level.precisions))
    if ranking is None:
        return [0.0] * (1 + len(level.precisions))
    places = places_of(*(_marks(images, row_of)[ranking] for images in (positive, ignored)))
    precisions = [precision_at(places, rank) for rank in level.precisions]
    return [average_precision(places, count), *precisions]


def _images(query: Query, groups: Sequence[str]) -> frozenset[str]:
    """Return the ids of the images in groups of a query."""
    return frozenset().union(*(query.groups[group] for group in groups))


def _marks(images: frozenset[str], row_of: Mapping[str, int]) -> NDArray[np.bool_]:
    """Return which rows of the base are among some images."""
    marks = np.zeros(len(row_of), bool)
    marks[[row_of[image] for image in images if image in row_of]] = True
    return marks


def _scores(name: str, rows: list[list[float]], level: Level) -> Scores:
    names = [MEAN_AP, *(f"mean_precision_at_{rank}" for rank in level.precisions)]
    columns = np.array(rows, np.float64).T
    if np.isnan(columns[0]).all():
        raise GapnetError(f"rules {name}: no query has a positive image; check the ground truth")
    return Scores(name, dict(zip(names, columns, strict=True)))
