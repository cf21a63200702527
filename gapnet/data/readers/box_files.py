"""Boxes of your own images: a table (CSV), a COCO file (JSON), or a folder of VOC-style XML.

boxes.csv    a header and a line per box: image,xmin,ymin,xmax,ymax and, if you like, label; columns
             in any order, others are not read. Pixels count from `first_pixel`, 0 by default, and
             xmax, ymax are inclusive.
boxes.json   COCO's `images`, `annotations` and `categories`. A bbox is x, y, width, height, and its
             last pixel x + width - 1. Crowds are left out.
FOLDER/      an XML per image, at the image's own path: train/cat/a.jpg has FOLDER/train/cat/a.xml.
             Its objects are all of the image's class; pixels are as in a table.

An image is named by its path under the data set's root, with forward slashes: train/cat/a.jpg. Its
boxes are those of its own class, as the label or the category's name says; they are all that it has
where a table has no labels, or the image no class.
"""

import csv
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from gapnet.data.readers.annotations import read_lines, read_voc
from gapnet.errors import GapnetError, reading
from gapnet.ops.boxes import LARGEST

SIDES = ("xmin", "ymin", "xmax", "ymax")


class LabelledBox(NamedTuple):
    """An inclusive box, and the id of its class if it has one."""

    label: str | None
    xyxy: list[float]


class BoxFile:
    """Boxes by image; a folder is read image by image, a file as a whole."""

    def __init__(self, path: Path, root: Path, *, first_pixel: int = 0) -> None:
        """Choose how to read `path`, and check that its images are in `root`."""
        self.path, self.first_pixel = path, first_pixel
        self._listed: dict[str, list[LabelledBox]] | None = None
        if path.is_dir():
            _check_folder(path, root)
            return
        reader = READERS.get(path.suffix.lower())
        if reader is None or not path.is_file():
            raise GapnetError(
                f"data.boxes={path}: must be a .csv, a COCO .json or a folder of XML files; "
                + ("this is none of them" if path.exists() else f"{path.absolute()} does not exist")
            )
        self._listed = reader(path)
        with reading(path, "has an invalid image name"):
            _check_names(self._listed, path, root)

    def boxes(self, image: str, class_id: str | None) -> Tensor | None:
        """Return the boxes (n, 4) of an image that are of its class; None if it has none."""
        drawn = self._voc(image) if self._listed is None else self._listed.get(image, [])
        own = [box for box in drawn if class_id is None or box.label in {None, class_id}]
        if drawn and not own:
            labels = ", ".join(sorted({str(box.label) for box in drawn}))
            raise GapnetError(
                f"{self.path}: {image} is in the folder of class {class_id!r}, but its boxes are "
                f"of {labels}; a label must be the name of the folder"
            )
        return self._from_0(torch.tensor([box.xyxy for box in own]), image) if own else None

    def _from_0(self, boxes: Tensor, image: str) -> Tensor:
        """Return boxes (n, 4) in pixels from 0; COCO's have edges, which do not depend on it."""
        first = 0 if self.path.suffix.lower() == ".json" else self.first_pixel
        if boxes.min() < first:
            raise GapnetError(
                f"data.first_pixel={first}: a box of {image} in {self.path} starts at 0; set "
                "data.first_pixel=0"
            )
        return boxes.float() - first

    def _voc(self, image: str) -> list[LabelledBox]:
        path = self.path / Path(image).with_suffix(".xml")
        if not path.exists():
            return []
        annotation = read_voc(path)
        return [LabelledBox(annotation.class_id, box) for box in annotation.boxes.tolist()]


def _check_names(listed: dict[str, list[LabelledBox]], path: Path, root: Path) -> None:
    for name, boxes in listed.items():
        if boxes and not (root / name).is_file():
            raise GapnetError(
                f"{path}: has boxes for {name!r}, but there is no such image in {root}; "
                "name it by its path under data.root, such as train/cat/a.jpg"
            )


def _check_folder(path: Path, root: Path) -> None:
    """Check that one XML has an image: in a folder at the wrong level, none has."""
    xml = next(path.rglob("*.xml"), None)
    if xml is None:
        raise GapnetError(f"data.boxes={path}: has no XML file; name the folder that has them")
    image = root / xml.relative_to(path).with_suffix("")
    if not any(file.stem == image.name for file in image.parent.glob("*")):
        raise GapnetError(
            f"{xml}: there is no image {image}.*; "
            "data.boxes=FOLDER must have each XML file at the path that its image has in data.root"
        )


def read_csv(path: Path) -> dict[str, list[LabelledBox]]:
    """Read a table of boxes, by image."""
    header, *lines = read_lines(path)
    with reading(path, "is not a CSV file", "restore the file"):
        columns, *rows = (_cells(line) for line in (header, *lines))
    missing = {"image", *SIDES} - set(columns)
    if missing or len(set(columns)) != len(columns):
        raise GapnetError(
            f"{path}: its first line must name the columns image,xmin,ymin,xmax,ymax "
            f"and optionally label, without repetition, not {header!r}"
        )
    listed: dict[str, list[LabelledBox]] = {}
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(columns):
            raise GapnetError(
                f"{path}: {line!r} must have {len(columns)} columns, like the first line"
            )
        cells = dict(zip(columns, row, strict=True))
        box = checked_box([cells[side] for side in SIDES], f"{path}: {line!r}")
        listed.setdefault(cells["image"], []).append(LabelledBox(cells.get("label"), box))
    return listed


def _cells(line: str) -> list[str]:
    return next(csv.reader([line], skipinitialspace=True))


def read_coco(path: Path) -> dict[str, list[LabelledBox]]:
    """Read a COCO file, by image; an image without annotations has no boxes."""
    with reading(path, "is not well-formed JSON", "restore the file"):
        content = json.loads("\n".join(read_lines(path)))
    try:
        images = _by_id(content["images"], "file_name", path)
        categories = _by_id(content["categories"], "name", path)
        listed: dict[str, list[LabelledBox]] = {name: [] for name in images.values()}
        for entry in content["annotations"]:
            if not entry.get("iscrowd"):
                where = f"{path}: annotation {entry.get('id')}"
                box = edges_to_pixels(entry["bbox"], where)
                name = images[entry["image_id"]]
                listed[name].append(LabelledBox(categories[entry["category_id"]], box))
    except (KeyError, TypeError, AttributeError) as error:
        raise GapnetError(
            f"{path}: is not a COCO file ({type(error).__name__}: {error}); it needs images "
            "(id, file_name), categories (id, name) and annotations (image_id, category_id, bbox)"
        ) from error
    return listed


def _by_id(entries: list[dict[str, object]], key: str, path: Path) -> dict[object, str]:
    values = {entry["id"]: str(entry[key]) for entry in entries}
    if len(values) != len(entries) or len(set(values.values())) != len(entries):
        raise GapnetError(f"{path}: an id or a {key} is listed twice; every one must be unique")
    return values


def checked_box(cells: Iterable[object], where: str) -> list[float]:
    """Read xmin, ymin, xmax, ymax in inclusive pixels; `where` begins the error."""
    box = _four_numbers(cells, where)
    x1, y1, x2, y2 = box
    if not (0 <= x1 <= x2 and 0 <= y1 <= y2):
        raise GapnetError(
            f"{where}: box {box} must have 0 <= xmin <= xmax and 0 <= ymin <= ymax; correct it"
        )
    return box


def edges_to_pixels(cells: Iterable[object], where: str) -> list[float]:
    """Turn x, y, width, height of edges into inclusive pixels: the last is x + width - 1."""
    x, y, width, height = _four_numbers(cells, where)
    inside = max(x + width, y + height) <= LARGEST
    if not (inside and x >= 0 and y >= 0 and width >= 1 and height >= 1):
        raise GapnetError(
            f"{where}: box {[x, y, width, height]} (x, y, width, height) must have x, y >= 0 and "
            "width, height >= 1; correct it"
        )
    return [x, y, x + width - 1, y + height - 1]


def _four_numbers(cells: Iterable[object], where: str) -> list[float]:
    cells = list(cells)
    try:
        x1, y1, x2, y2 = (float(str(cell)) for cell in cells)
    except ValueError:
        raise GapnetError(f"{where}: a box must be four numbers, not {cells}") from None
    if not all(abs(number) <= LARGEST for number in (x1, y1, x2, y2)):  # false for NaN
        raise GapnetError(f"{where}: a box must be four finite numbers of pixels, not {cells}")
    return [x1, y1, x2, y2]


READERS: dict[str, Callable[[Path], dict[str, list[LabelledBox]]]] = {
    ".csv": read_csv,
    ".json": read_coco,
}
