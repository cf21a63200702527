"""Kaggle's table of solutions: a line per image, `WNID x1 y1 x2 y2` once or more."""

import csv
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from gapnet.data.readers.class_list import ClassList
from gapnet.errors import GapnetError, reading
from gapnet.ops.boxes import LARGEST

HEADER = ["ImageId", "PredictionString"]
FIELDS = 5  # of a box in a prediction string: WNID x1 y1 x2 y2


def read_solutions(path: Path, classes: ClassList) -> dict[str, tuple[int, list[float]]]:
    """Read a table of `WNID x1 y1 x2 y2 ...`: image id -> label and boxes, flat."""
    solutions: dict[str, tuple[int, list[float]]] = {}
    for line, row in _rows(path):
        where = f"{path}, line {line}"
        if len(row) != len(HEADER):
            raise GapnetError(
                f"{where}: must have {len(HEADER)} columns, not {len(row)}; restore the file"
            )
        id_, text = row
        if id_ in solutions:
            raise GapnetError(f"{where}: image {id_!r} has a row already; remove one")
        solutions[id_] = _solution(text, f"{where}, image {id_!r}", classes)
    return solutions


def check_rows(path: Path, ids: Sequence[str], rows: Collection[str]) -> None:
    """Check that a table has all listed images and no others."""
    missing = [id_ for id_ in ids if id_ not in rows]
    if missing:
        raise GapnetError(
            f"{path}: lacks a row for image {missing[0]!r}, {len(missing)} of {len(ids)} in all; "
            "restore the file"
        )
    unknown = sorted(set(rows) - set(ids))
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
                f"{path}, line 1: must be {','.join(HEADER)}, not {header}; restore the file"
            )
        for row in reader:
            if row:
                yield reader.line_num, row


def _solution(text: str, where: str, classes: ClassList) -> tuple[int, list[float]]:
    fields = text.split()
    if not fields or len(fields) % FIELDS:
        raise GapnetError(
            f"{where}: must be `WNID x1 y1 x2 y2`, once or more, not {len(fields)} fields; "
            "restore the file"
        )
    named = sorted(set(fields[::FIELDS]))
    if len(named) > 1:
        raise GapnetError(
            f"{where}: its boxes must be of one class, not of {named}; restore the file"
        )
    label = classes.label(named[0], where)
    boxes: list[float] = []
    for start in range(0, len(fields), FIELDS):
        boxes += _box(fields[start + 1 : start + FIELDS], where)
    return label, boxes


def _box(fields: Sequence[str], where: str) -> list[float]:
    try:
        x1, y1, x2, y2 = box = [float(field) for field in fields]
    except ValueError:
        raise GapnetError(
            f"{where}: a box must be four numbers, not {fields}; restore the file"
        ) from None
    if not (0 <= x1 <= x2 <= LARGEST and 0 <= y1 <= y2 <= LARGEST):
        raise GapnetError(
            f"{where}: a box must have 0 <= x1 <= x2 and 0 <= y1 <= y2 in pixels, not {fields}; "
            "restore the file"
        )
    return box
