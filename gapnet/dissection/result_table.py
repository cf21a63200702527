"""result.csv: units and their labels, with the column names of NetDissect.

unit,category,label,score, and for each category CATEGORY-label, -truth, -activation, -intersect,
-iou. Units count from 1 and are sorted by their score, the best IoU, as in NetDissect.
"""

import csv
import io
from collections.abc import Sequence
from math import isclose
from pathlib import Path
from typing import NamedTuple

from gapnet.dissection.scores import LabelledUnit, Match
from gapnet.errors import GapnetError, reading
from gapnet.system.files import write_file
from gapnet.text.spreadsheet import write_rows

FIRST = ("unit", "category", "label", "score")
PER_CATEGORY = ("label", "truth", "activation", "intersect", "iou")
ROUNDED = 1e-3  # a printed IoU differs from the counts' by less than this
LONGEST = 18  # digits of a count


class ResultTable(NamedTuple):
    """Units of a file, its categories, and how many of its scores differ from the counts'."""

    units: list[LabelledUnit]
    categories: list[str]
    differing: int


def write_result(path: Path, units: Sequence[LabelledUnit], categories: Sequence[str]) -> None:
    """Write the table of a layer."""
    header = [*FIRST, *(f"{name}-{column}" for name in categories for column in PER_CATEGORY)]
    ranked = sorted(units, key=lambda unit: (-unit.best.iou, unit.unit))
    text = io.StringIO()
    write_rows(text, [header, *map(_row, ranked)], end="\n")
    write_file(path, text.getvalue())


def _row(unit: LabelledUnit) -> list[object]:
    best = unit.best
    cells: list[object] = [unit.unit + 1, best.category, best.label, best.iou]
    for match in unit.matches:
        cells += [match.label, match.truth, match.activation, match.intersect, match.iou]
    return cells


def read_result(path: Path) -> ResultTable:
    """Read a table of gapnet or NetDissect; labels and IoU are computed from its counts."""
    with reading(path, "is not readable CSV"), path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    names = list(reader.fieldnames or ())
    categories = [name.removesuffix("-truth") for name in names if name.endswith("-truth")]
    needed = [*FIRST, *(f"{name}-{column}" for name in categories for column in PER_CATEGORY[:-1])]
    missing = [name for name in needed if name not in names]
    if missing or not categories or not rows:
        problem = f"has no column {missing[0]!r}" if missing else "has no units or no categories"
        raise GapnetError(f"results={path}: {problem}; name a result.csv of NetDissect or gapnet")
    units = [_unit(path, row, categories) for row in rows]
    pairs = zip(units, rows, strict=True)
    differing = sum(not _same(unit.best.iou, row["score"]) for unit, row in pairs)
    return ResultTable(sorted(units, key=lambda unit: unit.unit), categories, differing)


def _unit(path: Path, row: dict[str, str], categories: Sequence[str]) -> LabelledUnit:
    matches = (
        Match(
            name,
            str(row[f"{name}-label"]),
            *(_count(path, row, f"{name}-{column}") for column in PER_CATEGORY[1:4]),
        )
        for name in categories
    )
    return LabelledUnit(_count(path, row, "unit") - 1, tuple(matches))


def _count(path: Path, row: dict[str, str], column: str) -> int:
    """Return a number of pixels, which NetDissect may write as 12.0."""
    text = str(row[column]).removesuffix(".0")
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST):
        raise GapnetError(
            f"results={path}: unit {row['unit']}: {column}={row[column]}: must be an integer >= 0"
        )
    return int(text)


def _same(iou: float, score: str) -> bool:
    try:
        return isclose(iou, float(score), abs_tol=ROUNDED)
    except ValueError:
        return False
