"""ILSVRC's devkit: one line per image in the order of file names, `label x1 y1 x2 y2` repeated.

Labels are ILSVRC's own numbers, from 1. An image without a guess has the line `0 0 0 0 0`: the
devkit's reader drops empty lines. It also fills short lines with zeros, so zeros at the end of a
line are no guess; an empty line is read as no guess.
"""

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from gapnet.errors import GapnetError
from gapnet.evaluation.formats.base import (
    FIELDS,
    Guessed,
    Key,
    check_guesses,
    format_number,
    parse_number,
    read_fields,
    stem,
)

NO_GUESS = ["0"] * FIELDS
WORDNET = re.compile(r"n\d{8}")


def read_devkit(path: Path, key: Key) -> list[Guessed]:
    """Read guesses in the order of the key's images."""
    numbers = numbers_of(key, path)
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    if len(lines) != len(key.ids):
        raise GapnetError(
            f"{path}: has {len(lines)} lines, the split {len(key.ids)} images; "
            "there must be one line per image"
        )
    names = by_file_name(key.ids)
    by_id = {
        name: _read_line(line.split(), name, numbers, f"{path}, line {place}")
        for place, (line, name) in enumerate(zip(lines, names, strict=True), start=1)
    }
    return [by_id[image_id] for image_id in key.ids]


def write_devkit(guesses: Sequence[Guessed], key: Key, path: Path) -> None:
    """Write guesses."""
    numbers = {index: number for number, index in numbers_of(key, path).items()}
    by_id = {guessed.id: guessed for guessed in guesses}
    with path.open("w", encoding="utf-8") as file:
        for name in by_file_name(key.ids):
            labels, boxes = by_id[name].labels, by_id[name].boxes
            fields = [
                " ".join([str(numbers[label]), *map(format_number, box)])
                for label, box in zip(labels, boxes, strict=True)
            ]
            file.write(" ".join(fields or NO_GUESS) + "\n")


def by_file_name(ids: Sequence[str]) -> list[str]:
    """Order images as the devkit does."""
    return sorted(ids, key=lambda image_id: (stem(image_id), image_id))


def numbers_of(key: Key, path: Path) -> dict[int, int]:
    """Return label -> class index; refuse to guess it."""
    if key.numbers is None:
        raise GapnetError(
            f"{path}: labels of this format are ILSVRC's own numbers, and there is no list of "
            "them; put the devkit's meta_clsloc.mat into DATA/devkit/data, or name it with "
            "synsets=FILE (labels=index: the file counts the sorted WordNet ids instead)"
        )
    return key.numbers


def _read_line(fields: list[str], name: str, numbers: dict[int, int], where: str) -> Guessed:
    label = partial(_read_label, numbers, where)
    while fields[-FIELDS:] == NO_GUESS:
        fields = fields[:-FIELDS]
    return check_guesses(read_fields(name, fields, label, where), where)


def _read_label(numbers: dict[int, int], where: str, text: str) -> int:
    if WORDNET.fullmatch(text):
        raise GapnetError(
            f"{where}: label {text!r} is a WordNet id; this format has ILSVRC's numbers "
            f"(1 to {len(numbers)}), Kaggle's has WordNet ids"
        )
    value = parse_number(text, where)
    if value not in numbers:
        raise GapnetError(f"{where}: label {text} must be an integer from 1 to {len(numbers)}")
    return numbers[int(value)]
