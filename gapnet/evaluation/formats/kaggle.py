"""Kaggle: `ImageId,PredictionString`, of `class x1 y1 x2 y2` repeated, rows in any order."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from gapnet.errors import GapnetError
from gapnet.evaluation.formats.base import Guessed, Key, in_order, number, written

HEADER = ["ImageId", "PredictionString"]
FIELDS = 5  # of a guess: class and box


def read_kaggle(path: Path, key: Key) -> list[Guessed]:
    """Read guesses in the order of the key's images."""
    return in_order(_rows(path, key), key, str(path))


def write_kaggle(guesses: Sequence[Guessed], key: Key, path: Path) -> None:
    """Write guesses."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for each in guesses:
            fields = [
                " ".join([key.classes[label], *map(written, box)])
                for label, box in zip(each.labels, each.boxes, strict=True)
            ]
            writer.writerow([each.id, " ".join(fields)])


def _rows(path: Path, key: Key) -> Iterator[tuple[str, Guessed]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        for row in reader:
            where = f"{path}, line {reader.line_num}"
            if row == HEADER or not row:
                continue
            if len(row) != len(HEADER):
                raise GapnetError(f"{where}: has {len(row)} columns, not ImageId,PredictionString")
            yield where, _read(key.image(row[0], where), row[1].split(), key, where)


def _read(name: str, fields: list[str], key: Key, where: str) -> Guessed:
    if len(fields) % FIELDS:
        raise GapnetError(
            f"{where}: has {len(fields)} fields; a guess has five (class xmin ymin xmax ymax)"
        )
    labels, boxes = [], []
    for start in range(0, len(fields), FIELDS):
        class_id, *box = fields[start : start + FIELDS]
        labels.append(key.label(class_id, where))
        x1, y1, x2, y2 = (number(each, where) for each in box)
        boxes.append((x1, y1, x2, y2))
    return Guessed(name, labels, boxes)
