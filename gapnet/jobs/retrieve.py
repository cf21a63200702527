"""Rank a base of images for each query, and score the rankings by a benchmark's rules."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gapnet.data.readers.retrieval_truth import Query, WithTruth
from gapnet.data.sample import Source
from gapnet.errors import GapnetError
from gapnet.jobs.feature_sets import FeatureSet, SetChoice, read_pair, rules_of_search
from gapnet.jobs.job import Run, open_job
from gapnet.jobs.rules import MakeSource
from gapnet.jobs.svm import line_of, write_metrics
from gapnet.retrieval.query_means import Described, query_means
from gapnet.retrieval.scoring import CLASSES, Scores, score_rankings
from gapnet.retrieval.search import expanded, rankings
from gapnet.runs.folder import short
from gapnet.runs.layout import QUERIES
from gapnet.system.files import write_file
from gapnet.system.progress import track
from gapnet.system.value_checks import whole_number
from gapnet.text.spreadsheet import write_rows
from gapnet.transfer.feature_rows import Features


@dataclass(frozen=True)
class RetrieveJob:
    """Scoring of a retrieval.

    Args:
        run: where the job writes.
        base: features of the images that are searched.
        queries: features of the queries, by the same network.
        source: makes the data set of the features, which has the ground truth.
        expand: number of nearest images that are added to each query; 0 adds none.
    """

    run: Run
    base: SetChoice
    queries: SetChoice
    source: MakeSource
    expand: int = 0

    def __post_init__(self) -> None:
        """Check the values."""
        whole_number("expand", self.expand)


def retrieve(settings: RetrieveJob) -> list[str]:
    """Score a retrieval, and return lines with the metrics."""
    with open_job(settings.run) as job:
        source = settings.source()
        asked, base = read_pair(settings.queries, _base(settings.base, source))
        rules, queries = _queries(source, asked, base)
        job.open(continues=False)
        rows = _ranked(asked.features, base.features, queries, settings.expand)
        scores = score_rankings(queries, rows, base.features.ids, rules)
        text = rules_of_search(base, settings.base.whitening, settings.expand)
        about = Described(asked.data, asked.split, text)
        metrics = [metric for one in scores for metric in query_means(one.values, one.level, about)]
        write_metrics(metrics, job.folder)
        write_file(job.folder / QUERIES, _table(queries, scores))
        return [
            *(f"{metric.protocol}: {line_of(metric)}" for metric in metrics),
            f"queries: {short(job.folder / QUERIES)}",
        ]


def _base(chosen: SetChoice, source: Source) -> SetChoice:
    """Return the base of a benchmark, if the user has not chosen a split."""
    if isinstance(source, WithTruth) and chosen.split is None:
        return replace(chosen, split=source.base_split)
    return chosen


def _queries(source: Source, asked: FeatureSet, base: FeatureSet) -> tuple[str, Sequence[Query]]:
    """Return the rules of the data set, and its queries."""
    if not isinstance(source, WithTruth):
        return CLASSES, list(_queries_of_classes(asked, base))
    truth = source.truth
    _check_listed([query.id for query in truth.queries], asked, truth.place)
    images = [image for query in truth.queries for ids in query.groups.values() for image in ids]
    _check_listed(images, base, truth.place)
    return truth.rules, truth.queries


def _check_listed(images: Sequence[str], some: FeatureSet, place: str) -> None:
    """Refuse ground truth whose images have no features."""
    known = {*some.features.ids, *some.features.unreadable}
    missing = sorted({*images} - known)
    if missing:
        raise GapnetError(
            f"features={some.folder}: has no image {missing[0]} in split {some.split!r} "
            f"({len(missing):,} of {len({*images}):,} images of {place} are missing); use features "
            "and ground truth of the same data set"
        )


def _queries_of_classes(asked: FeatureSet, base: FeatureSet) -> Iterator[Query]:
    """Yield each image with a class as a query for the images of its class."""
    queries, searched = asked.features, base.features
    if queries.multi_label or not (queries.labels >= 0).any():
        raise GapnetError(
            f"features={asked.folder}: must have one class for each image, or come from a data set "
            "with ground truth for retrieval, such as data=oxford5k"
        )
    if queries.about.classes != searched.about.classes:
        raise GapnetError(
            f"query_features={asked.folder}: has other classes than features={base.folder}; use "
            "data sets with the same classes"
        )
    ids = np.array([*searched.ids, *searched.unreadable], dtype=object)
    labels = np.concatenate([searched.labels, searched.unreadable_labels])
    same = {label: frozenset(ids[labels == label]) for label in np.unique(labels).tolist()}
    own = asked.folder == base.folder
    for image, label in zip(
        [*queries.ids, *queries.unreadable],
        [*queries.labels.tolist(), *queries.unreadable_labels.tolist()],
        strict=True,
    ):
        if label >= 0:
            itself = frozenset([image] if own else [])
            yield Query(
                image, image, None, {"same": same.get(label, frozenset()), "itself": itself}
            )


def _ranked(
    asked: Features, base: Features, queries: Sequence[Query], expand: int
) -> Iterator[NDArray[np.int64] | None]:
    """Yield the ranking of the base for each query; None if its image could not be read."""
    row_of = {image: row for row, image in enumerate(asked.ids)}
    readable = [row_of[query.id] for query in queries if query.id in row_of]
    vectors = asked.vectors[readable]
    if expand:
        vectors = expanded(vectors, base.vectors, expand)
    ranked = iter(rankings(vectors, base.vectors))
    for query in track(queries, "queries", total=len(queries), leave=False):
        yield next(ranked) if query.id in row_of else None


def _table(queries: Sequence[Query], scores: Sequence[Scores]) -> str:
    """Return a CSV table of the scores of each query; empty where it has no positive image."""
    header = [f"{one.level}/{name}" for one in scores for name in one.values]
    columns = [values for one in scores for values in one.values.values()]
    rows = [
        [query.id, query.image, *("" if np.isnan(value) else f"{value:.5f}" for value in values)]
        for query, *values in zip(queries, *columns, strict=True)
    ]
    text = io.StringIO()
    write_rows(text, [["query", "image", *header], *rows], end="\n")
    return text.getvalue()
