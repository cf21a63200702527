"""Ground truth of a split, from XML files, Kaggle's table of solutions or the devkit's labels."""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from gapnet.data.index import folders_in, parallel_map
from gapnet.data.readers.annotations import read_voc, read_voc_clipped
from gapnet.data.readers.class_list import ClassList
from gapnet.data.readers.devkit import read_labels
from gapnet.data.readers.solution_table import check_rows, read_solutions
from gapnet.errors import GapnetError

log = logging.getLogger(__name__)
Boxes = list[float] | None  # of one image, four numbers per box; None without annotation


class Truth(NamedTuple):
    """Label and boxes of every image of a listing."""

    labels: list[int]
    boxes: list[Boxes]


@dataclass(frozen=True)
class XmlFolder:
    """Ground truth from one VOC-style XML per image."""

    place: Path
    kind = "xml"

    def labels(self, ids: Sequence[str], classes: ClassList) -> list[int]:
        """Return the labels; this reads the boxes as well."""
        return self.truth(ids, classes).labels

    def truth(self, ids: Sequence[str], classes: ClassList) -> Truth:
        """Read all files; an error names the first wrong one and counts the others."""
        paths = [self.place / f"{id_}.xml" for id_ in ids]
        read = list(parallel_map(_read, paths, "reading annotations"))
        wrong = [result for result in read if isinstance(result, str)]
        if wrong:
            more = f" (and {len(wrong) - 1} more annotations are wrong)" if len(wrong) > 1 else ""
            raise GapnetError(f"{wrong[0]}{more}")
        parsed = [result for result in read if not isinstance(result, str)]
        labels = [
            classes.label(class_id, path) for (class_id, _), path in zip(parsed, paths, strict=True)
        ]
        return Truth(labels, [boxes for _, boxes in parsed])

    def training_boxes(self, ids: Sequence[str], classes: ClassList) -> list[Boxes]:
        """Read the files that exist: boxes of the image's class, clipped to the image."""
        del classes
        there = {
            f"{folder.name}/{file.name}"
            for folder in folders_in(self.place)
            for file in os.scandir(folder)
        }
        drawn = [id_ for id_ in ids if f"{id_}.xml" in there]
        read = partial(_read_training, self.place)
        results = list(parallel_map(read, drawn, "reading boxes of training"))
        boxes = {id_: boxes or None for id_, (boxes, _) in zip(drawn, results, strict=True)}
        others = sum(count for _, count in results)
        if others:
            log.info(
                "%s: %d boxes were cut or left out: not in the image, or of another class",
                self.place,
                others,
            )
        return [boxes.get(id_) for id_ in ids]


def _read_training(place: Path, id_: str) -> tuple[list[float], int]:
    boxes, others = read_voc_clipped(place / f"{id_}.xml", id_.partition("/")[0])
    return boxes.flatten().tolist(), others


def _read(path: Path) -> tuple[str, Boxes] | str:
    """Read one file in a worker process; return an error as text."""
    try:
        annotation = read_voc(path)
    except GapnetError as error:
        return str(error)
    return annotation.class_id, annotation.boxes.flatten().tolist()


@dataclass(frozen=True)
class SolutionTable:
    """Ground truth from Kaggle's CSV."""

    place: Path
    kind = "csv"

    def labels(self, ids: Sequence[str], classes: ClassList) -> list[int]:
        """Return the labels."""
        return self.truth(ids, classes).labels

    def truth(self, ids: Sequence[str], classes: ClassList) -> Truth:
        """Read the table, which must have exactly these images."""
        solutions = read_solutions(self.place, classes)
        check_rows(self.place, ids, solutions)
        rows = [solutions[id_] for id_ in ids]
        return Truth([label for label, _ in rows], [boxes for _, boxes in rows])

    def training_boxes(self, ids: Sequence[str], classes: ClassList) -> list[Boxes]:
        """Read the rows that exist; for training, they name images without folders."""
        solutions = read_solutions(self.place, classes)
        drawn = [solutions.get(id_.rpartition("/")[2]) for id_ in ids]
        for id_, row in zip(ids, drawn, strict=True):
            if row is not None and classes.ids[row[0]] != id_.partition("/")[0]:
                raise GapnetError(
                    f"{self.place}: image {id_!r} is of class {classes.ids[row[0]]!r} there; "
                    "restore the file, or move the image"
                )
        return [None if row is None else row[1] for row in drawn]


@dataclass(frozen=True)
class DevkitLabels:
    """Ground truth from the devkit's labels, with boxes from XML files if there are any."""

    place: Path
    indices: Mapping[int, int]
    drawn: XmlFolder | None
    kind = "devkit"

    def labels(self, ids: Sequence[str], classes: ClassList) -> list[int]:  # noqa: ARG002
        """Return the labels; the devkit lists them in the order of the file names."""
        labels = read_labels(self.place, self.indices, len(ids))
        by_name = dict(zip(sorted(ids), labels, strict=True))
        return [by_name[id_] for id_ in ids]

    def truth(self, ids: Sequence[str], classes: ClassList) -> Truth:
        """Return labels and boxes."""
        labels = self.labels(ids, classes)
        if self.drawn is None:
            return Truth(labels, [None] * len(ids))
        truth = self.drawn.truth(ids, classes)
        compare(ids, classes, {self.place: labels, self.drawn.place: truth.labels})
        return truth


Solution = XmlFolder | SolutionTable | DevkitLabels


def compare(ids: Sequence[str], classes: ClassList, labels: Mapping[Path, Sequence[int]]) -> None:
    """Check that labels of the same images from several places are equal."""
    (first, ours), *others = labels.items()
    for place, theirs in others:
        for id_, mine, other in zip(ids, ours, theirs, strict=True):
            if mine != other:
                raise GapnetError(
                    f"image {id_!r}: is {classes.ids[mine]} in {first}, {classes.ids[other]} in "
                    f"{place}; remove the wrong one, or choose one with data.truth=..."
                )
