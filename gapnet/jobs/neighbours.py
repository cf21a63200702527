"""Find the nearest neighbours of images, and write a page of pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gapnet.errors import GapnetError
from gapnet.evaluation.score import Metric
from gapnet.jobs.feature_sets import FeatureSet, SetChoice, facts_of, read_pair, rules_of_search
from gapnet.jobs.features import parts_of
from gapnet.jobs.job import Run, open_job
from gapnet.jobs.rules import MakeSource
from gapnet.jobs.svm import line_of, write_metrics
from gapnet.retrieval.agreement import PROTOCOL, class_agreement, same_classes
from gapnet.retrieval.pages import NeighboursPage, Shown, write_neighbours
from gapnet.retrieval.query_means import Described, query_means
from gapnet.retrieval.search import NOBODY, Neighbours, nearest
from gapnet.retrieval.thumbnails import Thumbnails
from gapnet.runs.folder import short
from gapnet.runs.layout import NEIGHBOURS, NEIGHBOURS_PAGE
from gapnet.system.files import atomic_file
from gapnet.system.progress import track
from gapnet.system.value_checks import whole_number

SIDE = 160  # pixels of a picture


@dataclass(frozen=True)
class NeighboursJob:
    """Search for the nearest neighbours of images.

    Args:
        run: where the job writes.
        base: features of the images that are searched.
        queries: features of the queries, by the same network.
        source: makes the data set of the base, whose pictures are shown.
        query_source: makes that of the queries.
        ids: of the queries; None is all.
        count: neighbours of each query.
        pictures: queries on the page, chosen at random.
    """

    run: Run
    base: SetChoice
    queries: SetChoice
    source: MakeSource
    query_source: MakeSource
    ids: tuple[str, ...] | None = None
    count: int = 8
    pictures: int = 24

    def __post_init__(self) -> None:
        """Check the values."""
        whole_number("count", self.count, least=1)
        whole_number("pictures", self.pictures, least=1)


def neighbours(settings: NeighboursJob) -> list[str]:
    """Find neighbours, and return lines with metrics and files."""
    with open_job(settings.run) as job:
        asked, base = read_pair(settings.queries, settings.base)
        rows = _rows_of(asked, settings.ids)
        pictures = (
            thumbnails(settings.query_source, asked, side=SIDE),
            thumbnails(settings.source, base, side=SIDE),
        )
        job.open(continues=False)
        search = Search(asked, base, rows, settings.count)
        whitening = settings.base.whitening
        metrics = search.metrics(rules_of_search(base, whitening, 0), every=settings.ids is None)
        facts = facts_of(asked, base, whitening)
        facts |= {metric.metric.replace("_", " "): share_of(metric) for metric in metrics}
        shown = sorted(Random(0).sample(range(len(rows)), min(settings.pictures, len(rows))))
        page = NeighboursPage(f"Neighbours in {base.data}", facts, search.shown(shown, *pictures))
        write_metrics(metrics, job.folder)
        search.write(job.folder / NEIGHBOURS)
        write_neighbours(page, job.folder / NEIGHBOURS_PAGE)
        return [*map(line_of, metrics), f"page: {short(job.folder / NEIGHBOURS_PAGE)}"]


def share_of(metric: Metric) -> str:
    """Return a metric with its interval, in percent."""
    return f"{metric.value:.1%} ({metric.low:.1%} to {metric.high:.1%})"


def thumbnails(make: MakeSource, some: FeatureSet, *, side: int) -> Thumbnails:
    """Return the pictures of a set of features; those of another data set are an error."""
    source, split = make(), some.split
    pictures = Thumbnails(source, source.records(split), parts_of(source, [split]).get(split), side)
    for image in some.features.ids:
        pictures.check(image)
    return pictures


def _rows_of(asked: FeatureSet, ids: Sequence[str] | None) -> NDArray[np.int64]:
    """Return the rows of queries; None is all."""
    features = asked.features
    if ids is None:
        return np.arange(len(features.ids))
    row_of = {image: row for row, image in enumerate(features.ids)}
    for image in ids:
        if image not in row_of:
            problem = "could not be read" if image in features.unreadable else "has no features"
            raise GapnetError(
                f"queries={image}: {problem}; name images of split {asked.split!r} of "
                f"{asked.folder}"
            )
    return np.array([row_of[image] for image in ids])


class Search:
    """Nearest neighbours of some images of a set of features in another, or in the same."""

    def __init__(
        self, asked: FeatureSet, base: FeatureSet, rows: NDArray[np.int64], count: int
    ) -> None:
        """Find `count` neighbours of the queries `rows`; an image is no neighbour of itself."""
        self.asked, self.base, self.rows = asked, base, rows
        self.found: Neighbours = nearest(
            asked.features.vectors[rows], base.features.vectors, count, without=self._itself()
        )
        self.same = same_classes(asked.features, rows, base.features, self.found.rows)

    def _itself(self) -> NDArray[np.int64]:
        """Return the row of each query in the base; -1 where it is not there."""
        if self.asked.folder != self.base.folder:
            return np.full(len(self.rows), NOBODY)
        row_of = {image: row for row, image in enumerate(self.base.features.ids)}
        ids = self.asked.features.ids
        return np.array([row_of.get(ids[row], NOBODY) for row in self.rows])

    def metrics(self, rules: str, *, every: bool) -> list[Metric]:
        """Return how often neighbours have the class of their query; `every` is all queries."""
        if self.same is None:
            return []
        asked = self.asked
        missed = len(asked.features.unreadable) if every else 0
        about = Described(asked.data, asked.split, rules)
        return query_means(class_agreement(self.same, missed), PROTOCOL, about)

    def write(self, path: Path) -> None:
        """Write a Parquet file: the neighbours of each query and their similarities."""
        ids = np.array(self.base.features.ids, dtype=object)
        table = pa.table(
            {
                "id": [self.asked.features.ids[row] for row in self.rows],
                "neighbours": list(ids[self.found.rows]),
                "similarities": list(self.found.similarities),
            }
        )
        with atomic_file(path) as unfinished:
            pq.write_table(table, unfinished, compression="zstd")

    def shown(
        self, places: Sequence[int], queries: Thumbnails, base: Thumbnails
    ) -> list[list[Shown]]:
        """Return queries and their neighbours for a page."""
        steps = track(places, "pictures", total=len(places), leave=False)
        return [[self._query(place, queries), *self._others(place, base)] for place in steps]

    def _query(self, place: int, pictures: Thumbnails) -> Shown:
        row = int(self.rows[place])
        image = self.asked.features.ids[row]
        return Shown(image, pictures.uri(image), _class_name(self.asked, row, pictures))

    def _others(self, place: int, pictures: Thumbnails) -> list[Shown]:
        others = []
        for rank, row in enumerate(self.found.rows[place].tolist()):
            image = self.base.features.ids[row]
            others.append(
                Shown(
                    image,
                    pictures.uri(image),
                    _class_name(self.base, row, pictures),
                    float(self.found.similarities[place, rank]),
                    None if self.same is None else bool(self.same[place, rank]),
                )
            )
        return others


def _class_name(some: FeatureSet, row: int, pictures: Thumbnails) -> str:
    """Return the names of an image's classes."""
    features = some.features
    labels = features.label_sets[row] if features.multi_label else [int(features.labels[row])]
    names = pictures.source.class_names
    return ", ".join(names[label] for label in labels if 0 <= label < len(names))
