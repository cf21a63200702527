"""Annotation files, read strictly: what does not add up is an error that names the file."""

from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import torch
from torch import Tensor

from gapnet.errors import GapnetError


class Annotation(NamedTuple):
    """Hold the content of one VOC-style XML: the class id, and the inclusive boxes (n, 4)."""

    class_id: str
    boxes: Tensor


def read_voc(path: Path) -> Annotation:
    """Read a VOC-style XML whose objects are all of one class and lie inside the image."""
    try:
        tree = ElementTree.parse(path)
    except FileNotFoundError as error:
        raise GapnetError(
            f"{path}: no such annotation; every image of an evaluated split needs one"
        ) from error
    except ElementTree.ParseError as error:
        raise GapnetError(f"{path}: is not well-formed XML ({error}); restore the file") from error
    width, height = (
        _integer(tree.getroot(), "size/width", path),
        _integer(tree.getroot(), "size/height", path),
    )
    objects = tree.findall("object")
    ids = sorted({entry.findtext("name", default="").strip() for entry in objects})
    if len(ids) != 1:
        raise GapnetError(f"{path}: its objects must be of one class, found {ids}")
    boxes = [
        [_integer(entry, f"bndbox/{side}", path) for side in ("xmin", "ymin", "xmax", "ymax")]
        for entry in objects
    ]
    for box in boxes:
        _check_box(box, height, width, path)
    return Annotation(ids[0], torch.tensor(boxes, dtype=torch.float32))


def read_synsets(path: Path) -> dict[str, str]:
    """Read LOC_synset_mapping.txt: class id -> name, in the order of the class index."""
    lines = read_lines(path)
    synsets = dict(line.partition(" ")[::2] for line in lines)
    if len(synsets) != len(lines):
        raise GapnetError(f"{path}: {len(lines) - len(synsets)} class ids are listed twice")
    return synsets


def read_lines(path: Path) -> list[str]:
    """Read the lines of a text file that are not blank; none at all is an error."""
    try:
        lines = [
            line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()
        ]
    except FileNotFoundError as error:
        raise GapnetError(f"{path}: no such file") from error
    except UnicodeDecodeError as error:
        raise GapnetError(
            f"{path}: is not a text file ({error.reason} at byte {error.start})"
        ) from error
    if not lines:
        raise GapnetError(
            f"{path}: is empty; a split needs at least one image and a data set one class"
        )
    return lines


def _integer(element: ElementTree.Element, path_in_xml: str, path: Path) -> int:
    text = element.findtext(path_in_xml)
    try:
        return int(text or "")
    except ValueError:
        raise GapnetError(
            f"{path}: <{path_in_xml}> must be a whole number, found {text!r}"
        ) from None


def _check_box(box: list[int], height: int, width: int, path: Path) -> None:
    x1, y1, x2, y2 = box
    # Pixels count from 0, but some annotators counted from 1: a box may end one pixel beyond.
    if not (0 <= x1 <= x2 <= width and 0 <= y1 <= y2 <= height):
        raise GapnetError(
            f"{path}: box {box} (xmin, ymin, xmax, ymax) lies outside its image of "
            f"{width} x {height} pixels"
        )
