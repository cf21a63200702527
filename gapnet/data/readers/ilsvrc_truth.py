"""Ground truth of a split, from XML files, Kaggle's table of solutions or the devkit's labels."""

import csv
import logging
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple

from gapnet.data.index import folders_in, work_through
from gapnet.data.readers.annotations import read_voc, read_voc_clipped
from gapnet.data.readers.devkit import read_labels
from gapnet.errors import GapnetError, reading
from gapnet.ops.boxes import LARGEST

log = logging.getLogger(__name__)
HEADER = ["ImageId", "PredictionString"]
FIELDS = 5  # of a box in a prediction string: WNID x1 y1 x2 y2
Boxes = list[float] | None  # of one image, four numbers each; None where nobody drew any


class Truth(NamedTuple):
    """Hold label and boxes of each image of a listing."""

    labels: list[int]
    boxes: list[Boxes]


@dataclass(frozen=True)
class ClassList:
    """Know the classes in the order of their index, and what lists them."""

    ids: list[str]
    place: str

    @cached_property
    def index(self) -> dict[str, int]:
        """Map a class id to its index."""
        return {class_id: label for label, class_id in enumerate(self.ids)}

    def label(self, class_id: str, place: str | Path) -> int:
        """Look up a class that `place` names."""
        label = self.index.get(class_id)
        if label is None:
            raise GapnetError(
                f"{place}: class {class_id!r} is not among the {len(self.ids)} of {self.place}; "
                "correct the one that is wrong"
            )
        return label


@dataclass(frozen=True)
class XmlFolder:
    """Read a VOC-style XML for each image."""

    place: Path
    kind = "xml"

    def labels(self, ids: Sequence[str], classes: ClassList) -> list[int]:
        """Tell the labels; this reads the boxes too."""
        return self.truth(ids, classes).labels

    def truth(self, ids: Sequence[str], classes: ClassList) -> Truth:
        """Read all files before the first that is wrong is named, and say how many are."""
        paths = [self.place / f"{id_}.xml" for id_ in ids]
        read = list(work_through(_read, paths, "reading annotations"))
        wrong = [each for each in read if isinstance(each, str)]
        if wrong:
            more = f" (and {len(wrong) - 1} more annotations are wrong)" if len(wrong) > 1 else ""
            raise GapnetError(f"{wrong[0]}{more}")
        found = [each for each in read if not isinstance(each, str)]
        labels = [classes.label(each[0], path) for each, path in zip(found, paths, strict=True)]
        return Truth(labels, [boxes for _, boxes in found])

    def training_boxes(self, ids: Sequence[str], classes: ClassList) -> list[Boxes]:
        """Read the files that there are, one class's boxes as far as they lie in the image."""
        del classes
        there = {
            f"{folder.name}/{file.name}"
            for folder in folders_in(self.place)
            for file in os.scandir(folder)
        }
        drawn = [id_ for id_ in ids if f"{id_}.xml" in there]
        read = partial(_read_training, self.place)
        results = list(work_through(read, drawn, "reading boxes of training"))
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
    """Read one file in a process; what is wrong comes back as text."""
    try:
        annotation = read_voc(path)
    except GapnetError as error:
        return str(error)
    return annotation.class_id, annotation.boxes.flatten().tolist()


@dataclass(frozen=True)
class SolutionTable:
    """Read Kaggle's CSV."""

    place: Path
    kind = "csv"

    def labels(self, ids: Sequence[str], classes: ClassList) -> list[int]:
        """Tell the labels."""
        return self.truth(ids, classes).labels

    def truth(self, ids: Sequence[str], classes: ClassList) -> Truth:
        """Read the rows of all images, and of no others."""
        found = read_solutions(self.place, classes)
        check_rows(self.place, ids, found)
        rows = [found[id_] for id_ in ids]
        return Truth([label for label, _ in rows], [boxes for _, boxes in rows])

    def training_boxes(self, ids: Sequence[str], classes: ClassList) -> list[Boxes]:
        """Read the rows there are; in training, they name an image without its folder."""
        found = read_solutions(self.place, classes)
        drawn = [found.get(id_.rpartition("/")[2]) for id_ in ids]
        for id_, row in zip(ids, drawn, strict=True):
            if row is not None and classes.ids[row[0]] != id_.partition("/")[0]:
                raise GapnetError(
                    f"{self.place}: image {id_!r} is of class {classes.ids[row[0]]!r} there; "
                    "restore the file, or move the image"
                )
        return [None if row is None else row[1] for row in drawn]


@dataclass(frozen=True)
class DevkitLabels:
    """Read the devkit's label for each image, and boxes from XML files where there are any."""

    place: Path
    indices: Mapping[int, int]
    drawn: XmlFolder | None
    kind = "devkit"

    def labels(self, ids: Sequence[str], classes: ClassList) -> list[int]:  # noqa: ARG002
        """Tell the labels, which are in the order of the names."""
        labels = read_labels(self.place, self.indices, len(ids))
        by_name = dict(zip(sorted(ids), labels, strict=True))
        return [by_name[id_] for id_ in ids]

    def truth(self, ids: Sequence[str], classes: ClassList) -> Truth:
        """Tell labels and boxes."""
        labels = self.labels(ids, classes)
        if self.drawn is None:
            return Truth(labels, [None] * len(ids))
        truth = self.drawn.truth(ids, classes)
        compare(ids, classes, {self.place: labels, self.drawn.place: truth.labels})
        return truth


Solution = XmlFolder | SolutionTable | DevkitLabels


def compare(ids: Sequence[str], classes: ClassList, labels: Mapping[Path, Sequence[int]]) -> None:
    """Refuse labels of the same images from several places if they differ in one."""
    (first, ours), *others = labels.items()
    for place, theirs in others:
        for id_, mine, other in zip(ids, ours, theirs, strict=True):
            if mine != other:
                raise GapnetError(
                    f"image {id_!r}: is {classes.ids[mine]} in {first}, {classes.ids[other]} in "
                    f"{place}; remove what is wrong, or say with data.truth=... which is right"
                )


def read_solutions(path: Path, classes: ClassList) -> dict[str, tuple[int, list[float]]]:
    """Read a table of `WNID x1 y1 x2 y2 ...`: image id -> label and boxes, flat."""
    found: dict[str, tuple[int, list[float]]] = {}
    for line, row in _rows(path):
        where = f"{path}, line {line}"
        if len(row) != len(HEADER):
            raise GapnetError(
                f"{where}: must have {len(HEADER)} columns, found {len(row)}; restore the file"
            )
        id_, text = row
        if id_ in found:
            raise GapnetError(f"{where}: image {id_!r} has a row already; remove one")
        found[id_] = _solution(text, f"{where}, image {id_!r}", classes)
    return found


def check_rows(path: Path, ids: Sequence[str], found: Collection[str]) -> None:
    """Refuse a table that lacks an image, or has one that is not listed."""
    missing = [id_ for id_ in ids if id_ not in found]
    if missing:
        raise GapnetError(
            f"{path}: lacks a row for image {missing[0]!r}, {len(missing)} of {len(ids)} in all; "
            "restore the file"
        )
    unknown = sorted(set(found) - set(ids))
    if unknown:
        raise GapnetError(
            f"{path}: image {unknown[0]!r} is not among the {len(ids)} of its split, "
            f"{len(unknown)} in all; restore the file, or the images"
        )


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    if not path.exists():
        raise GapnetError(f"{path}: no such file; name another with data.truth=...")
    with (
        reading(path, "is not a CSV file", "restore the file"),
        path.open(encoding="utf-8-sig", newline="") as file,
    ):
        reader = csv.reader(file)
        if (header := next(reader, None)) != HEADER:
            raise GapnetError(
                f"{path}, line 1: must be {','.join(HEADER)}, found {header}; restore the file"
            )
        for row in reader:
            if row:
                yield reader.line_num, row


def _solution(text: str, where: str, classes: ClassList) -> tuple[int, list[float]]:
    fields = text.split()
    if not fields or len(fields) % FIELDS:
        raise GapnetError(
            f"{where}: must be `WNID x1 y1 x2 y2`, once or more, found {len(fields)} fields; "
            "restore the file"
        )
    named = sorted(set(fields[::FIELDS]))
    if len(named) > 1:
        raise GapnetError(
            f"{where}: its boxes must be of one class, found {named}; restore the file"
        )
    label = classes.label(named[0], where)
    boxes: list[float] = []
    for start in range(0, len(fields), FIELDS):
        boxes += _box(fields[start + 1 : start + FIELDS], where)
    return label, boxes


def _box(fields: Sequence[str], where: str) -> list[float]:
    try:
        x1, y1, x2, y2 = box = [float(each) for each in fields]
    except ValueError:
        raise GapnetError(
            f"{where}: a box must be four numbers, found {fields}; restore the file"
        ) from None
    if not (0 <= x1 <= x2 <= LARGEST and 0 <= y1 <= y2 <= LARGEST):
        raise GapnetError(
            f"{where}: a box must have 0 <= x1 <= x2 and 0 <= y1 <= y2 in pixels, found {fields}; "
            "restore the file"
        )
    return box
