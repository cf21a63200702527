"""A table of images: a line per image, or per object, with its class and perhaps its box."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from gapnet.data.annotated import Object
from gapnet.data.image_folder import check_inside
from gapnet.data.readers.box_files import SIDES, checked_box
from gapnet.errors import GapnetError, reading

REQUIRED, SPLIT = ("image", "label"), "split"
HEADER = "image,label[,xmin,ymin,xmax,ymax][,split]"


class Row(NamedTuple):
    """A line: an object in an image, and the split of the image if the table has this column."""

    image: str
    thing: Object
    split: str | None


def read_table_objects(path: Path) -> Iterator[Row]:
    """Yield the lines of a table; pixels of boxes are as it counts them."""
    with (
        reading(path, "is not a CSV file", "restore the file"),
        path.open(encoding="utf-8-sig", newline="") as file,
    ):
        lines = csv.reader(file, skipinitialspace=True)
        columns = next(lines, [])
        _check_columns(columns, path)
        for cells in lines:
            if cells:
                where = f"{path}, line {lines.line_num}"
                if len(cells) != len(columns):
                    raise GapnetError(
                        f"{where}: must have {len(columns)} columns, not {len(cells)}; correct it"
                    )
                yield _row(dict(zip(columns, cells, strict=True)), where)


def _check_columns(columns: list[str], path: Path) -> None:
    sides = [side for side in SIDES if side in columns]
    complete = set(REQUIRED) <= set(columns) and len(sides) in {0, len(SIDES)}
    if not complete or len(set(columns)) < len(columns):
        raise GapnetError(
            f"{path}, line 1: must name the columns {HEADER}, in any order and each once, not "
            f"{','.join(columns)!r}"
        )


def _row(cells: Mapping[str, str], where: str) -> Row:
    image, label = (cells[name].strip() for name in REQUIRED)
    if not image or not label:
        raise GapnetError(f"{where}: must have an image and a label; correct it")
    check_inside(image, where)
    sides = [cells.get(side, "").strip() for side in SIDES]
    box = checked_box(sides, where) if any(sides) else None
    return Row(image, Object(label, box), cells[SPLIT].strip() if SPLIT in cells else None)
