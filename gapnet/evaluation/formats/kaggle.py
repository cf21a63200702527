"""Kaggle: `ImageId,PredictionString`, with `class x1 y1 x2 y2` repeated; rows in any order."""

import csv
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from gapnet.errors import GapnetError
from gapnet.evaluation.formats.base import Guessed, Key, format_number, in_image_order, read_fields

HEADER = ["ImageId", "PredictionString"]


def read_kaggle(path: Path, key: Key) -> list[Guessed]:
    """Read guesses in the order of the key's images."""
    return in_image_order(_rows(path, key), key, str(path))


def write_kaggle(guesses: Sequence[Guessed], key: Key, path: Path) -> None:
    """Write guesses."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for guessed in guesses:
            fields = [
                " ".join([key.classes[label], *map(format_number, box)])
                for label, box in zip(guessed.labels, guessed.boxes, strict=True)
            ]
            writer.writerow([guessed.id, " ".join(fields)])


def _rows(path: Path, key: Key) -> Iterator[tuple[str, Guessed]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        for row in reader:
            where = f"{path}, line {reader.line_num}"
            if row == HEADER or not row:
                continue
            if len(row) != len(HEADER):
                raise GapnetError(f"{where}: has {len(row)} columns, not ImageId,PredictionString")
            name, label = key.image(row[0], where), partial(key.label, where=where)
            yield where, read_fields(name, row[1].split(), label, where)
