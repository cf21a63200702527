"""Tables of Broden (Network Dissection, CVPR 2017): index.csv, category.csv, label.csv, c_*.csv."""

import csv
from pathlib import Path
from typing import NamedTuple

from gapnet.data.image_folder import check_inside
from gapnet.data.segmented import Concept
from gapnet.errors import GapnetError, reading

INDEX, CATEGORIES, LABELS = "index.csv", "category.csv", "label.csv"
SIDES = ("ih", "iw", "sh", "sw")
MAX_LABELS = 32_767  # a segmentation's indices have 16 bits


class Indexed(NamedTuple):
    """A row of index.csv: the size of its segmentations, their files, and labels of the image."""

    image: str
    split: str
    size: tuple[int, int]
    files: tuple[str, ...]
    labels: tuple[int, ...]


def read_rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Read a CSV file that must have some columns."""
    with reading(path, "is not readable CSV"), path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    missing = [name for name in columns if name not in (reader.fieldnames or ())]
    if missing:
        raise GapnetError(f"{path}: has no column {missing[0]!r}; restore the file")
    return rows


def whole(path: Path, row: dict[str, str], column: str) -> int:
    """Return a number of a row."""
    value = row[column] or ""
    if not (value.isascii() and value.isdigit() and len(value) < 10):  # noqa: PLR2004
        raise GapnetError(f"{path}: {column}={value!r}: must be an integer >= 0; correct it")
    return int(value)


def read_index(root: Path, categories: list[str]) -> list[Indexed]:
    """Read index.csv; a field lists labels of the whole image and files, separated by `;`."""
    path = root / INDEX
    rows = read_rows(path, ("image", "split", *SIDES, *categories))
    return [_indexed(path, row, categories) for row in rows]


def _indexed(path: Path, row: dict[str, str], categories: list[str]) -> Indexed:
    fields = [item for name in categories for item in (row[name] or "").split(";") if item]
    size = whole(path, row, "sh"), whole(path, row, "sw")
    if 0 in size:
        raise GapnetError(f"{path}: image {row['image']}: sh and sw must be >= 1; correct them")
    numbers = tuple(int(field) for field in fields if field.isdigit())
    files = tuple(field for field in fields if not field.isdigit())
    for name in (row["image"], *files):
        check_inside(name, str(path))
    return Indexed(row["image"], row["split"], size, files, numbers)


def read_categories(root: Path) -> list[str]:
    """Read the names of the categories."""
    return [row["name"] for row in read_rows(root / CATEGORIES, ("name",))]


def read_labels(root: Path, categories: list[str]) -> list[Concept | None]:
    """Read the concepts by their number; None where a number is not used, as 0 is not.

    A label that is used in several categories belongs to the one where it covers most, as in the
    published program; of two that cover the same, to the later one.
    """
    coverage = {name: _coverage(root / f"c_{name}.csv") for name in categories}
    path = root / LABELS
    names = {whole(path, row, "number"): row["name"] for row in read_rows(path, ("number", "name"))}
    names.pop(0, None)
    if max(names, default=0) > MAX_LABELS:
        raise GapnetError(f"{path}: number={max(names)}: must be <= {MAX_LABELS}")
    concepts: list[Concept | None] = [None] * (max(names, default=0) + 1)
    for number, name in names.items():
        used = [
            (coverage[category][number], rank, category)
            for rank, category in enumerate(categories)
            if number in coverage[category]
        ]
        if not used:
            raise GapnetError(
                f"{path}: label {number} ({name}) is in none of the files c_*.csv; restore them"
            )
        concepts[number] = Concept(name, max(used)[-1])
    return concepts


def _coverage(path: Path) -> dict[int, float]:
    """Return how many images' area each label covers in a category."""
    rows = read_rows(path, ("number", "coverage"))
    with reading(path, "has a coverage that is not a number", "correct it"):
        return {whole(path, row, "number"): float(row["coverage"]) for row in rows}
