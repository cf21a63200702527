"""Annotation files, read strictly: an inconsistent file is an error that names it."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import torch
from torch import Tensor

from gapnet.data.annotated import Object
from gapnet.errors import GapnetError, reading
from gapnet.ops.boxes import LARGEST

SIDES = ("xmin", "ymin", "xmax", "ymax")
DIGITS = 18  # largest number of digits, so that an integer fits into 64 bits


class Annotation(NamedTuple):
    """Content of one VOC-style XML: the class id, and the inclusive boxes (n, 4)."""

    class_id: str
    boxes: Tensor


class Clipped(NamedTuple):
    """Boxes (n, 4) of one class in an XML, and the number of boxes that were changed or dropped.

    A box is dropped if it is outside the image or of another class; it is changed if it is clipped.
    """

    boxes: Tensor
    others: int


def read_voc(path: Path) -> Annotation:
    """Read a VOC-style XML whose objects are all of one class and lie inside the image."""
    root = _parse(path)
    height, width = _size(root, path)
    objects = root.findall("object")
    ids = sorted({_name(entry) for entry in objects})
    if len(ids) != 1:
        raise GapnetError(f"{path}: its objects must be of one class, not of {ids}; correct it")
    boxes = [_box(entry, path) for entry in objects]
    for box in boxes:
        _check_box(box, height, width, path)
    return Annotation(ids[0], torch.tensor(boxes, dtype=torch.float32))


def read_voc_clipped(path: Path, class_id: str) -> Clipped:
    """Read the boxes of one class, clipped to the image.

    Some boxes of ILSVRC's training annotations, but none of validation, reach beyond their images,
    or lie outside altogether.
    """
    root = _parse(path)
    height, width = _size(root, path)
    boxes = [(_name(entry), _box(entry, path)) for entry in root.findall("object")]
    clipped = [
        [max(x1, 0), max(y1, 0), min(x2, width), min(y2, height)]
        for name, (x1, y1, x2, y2) in boxes
        if name == class_id
    ]
    inside = [box for box in clipped if box[0] <= box[2] and box[1] <= box[3]]
    unchanged = sum((class_id, box) in boxes for box in inside)
    return Clipped(torch.tensor(inside, dtype=torch.float32).view(-1, 4), len(boxes) - unchanged)


def read_voc_objects(path: Path) -> tuple[list[Object], tuple[int, int]]:
    """Read the objects of a VOC-style XML and (height, width); (0, 0) if it does not state that.

    Coordinates are as in the file, and may have decimals. An object may lack a box.
    """
    root = _parse(path)
    height, width = _size(root, path) if root.find("size") is not None else (0, 0)
    size = (height, width) if min(height, width) > 0 else (0, 0)
    return [_object(entry, size, path) for entry in root.findall("object")], size


def read_voc_size(path: Path) -> tuple[int, int]:
    """Read (height, width) from a VOC-style XML."""
    return _size(_parse(path), path)


def read_synsets(path: Path) -> dict[str, str]:
    """Read LOC_synset_mapping.txt: class id -> name, in the order of the class index."""
    lines = read_lines(path)
    synsets = dict(line.partition(" ")[::2] for line in lines)
    if len(synsets) != len(lines):
        raise GapnetError(
            f"{path}: lists {len(lines) - len(synsets)} class ids twice; every id must be unique"
        )
    return synsets


def read_lines(path: Path) -> list[str]:
    """Read the lines of a text file that are not blank; none at all is an error."""
    with reading(path, "is not a text file"):
        text = path.read_text(encoding="utf-8-sig")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise GapnetError(
            f"{path}: is empty; a split needs at least one image and a data set one class"
        )
    return lines


def is_whole(text: str) -> bool:
    """Return whether a text is an integer >= 0 of at most `DIGITS` digits."""
    return text.isascii() and text.isdecimal() and len(text) <= DIGITS


def _parse(path: Path) -> ElementTree.Element:
    if not path.exists():
        raise GapnetError(
            f"{path}: no such annotation; every image of an evaluated split needs one"
        )
    with reading(path, "is not well-formed XML", "restore the file"):
        return ElementTree.parse(path).getroot()


def _size(root: ElementTree.Element, path: Path) -> tuple[int, int]:
    """Read (height, width)."""
    width, height = (_integer(root, f"size/{side}", path) for side in ("width", "height"))
    if max(width, height) > LARGEST:
        raise GapnetError(
            f"{path}: <size>={width} x {height}: sides must be <= {LARGEST} pixels; correct it"
        )
    return height, width


def _object(entry: ElementTree.Element, size: tuple[int, int], path: Path) -> Object:
    if not _name(entry):
        raise GapnetError(f"{path}: an object has no <name>; name its class")
    if entry.find("bndbox") is None:
        return Object(_name(entry), None)
    box = [_number(entry, f"bndbox/{side}", path) for side in SIDES]
    height, width = size if min(size) > 0 else (LARGEST, LARGEST)
    _check_box(box, height, width, path)
    return Object(_name(entry), box)


def _number(element: ElementTree.Element, path_in_xml: str, path: Path) -> float:
    text = element.findtext(path_in_xml)
    try:
        return float(text or "")
    except ValueError:
        raise GapnetError(
            f"{path}: <{path_in_xml}>={text!r}: must be a number; restore the file"
        ) from None


def _name(entry: ElementTree.Element) -> str:
    return entry.findtext("name", default="").strip()


def _box(entry: ElementTree.Element, path: Path) -> list[int]:
    return [_integer(entry, f"bndbox/{side}", path) for side in SIDES]


def _integer(element: ElementTree.Element, path_in_xml: str, path: Path) -> int:
    text = element.findtext(path_in_xml)
    try:
        return int(text or "")
    except ValueError:
        raise GapnetError(
            f"{path}: <{path_in_xml}>={text!r}: must be an integer; restore the file"
        ) from None


def _check_box(box: Sequence[float], height: int, width: int, path: Path) -> None:
    x1, y1, x2, y2 = box
    # Pixels count from 0, but some annotators counted from 1: a box may end one pixel beyond.
    if not (0 <= x1 <= x2 <= width and 0 <= y1 <= y2 <= height):
        raise GapnetError(
            f"{path}: box {box} (xmin, ymin, xmax, ymax) lies outside its image of "
            f"{width} x {height} pixels; correct it"
        )
