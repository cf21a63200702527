"""Common parts of all formats: guesses by image, and the meaning of ids and labels."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from gapnet.errors import GapnetError
from gapnet.localization.guesses import MOST
from gapnet.ops.boxes import LARGEST

GREATEST = 3e38  # score: single precision goes up to 3.4e38
FIELDS = 5  # per guess in a line: class and box


class Guessed(NamedTuple):
    """Guesses for one image: labels, boxes and optional scores, most confident first."""

    id: str
    labels: list[int]
    boxes: list[tuple[float, float, float, float]]
    scores: list[float] | None = None


@dataclass(frozen=True)
class Key:
    """Meaning of the ids and the labels in a file.

    Args:
        ids: of the images.
        classes: ids in the order of the index.
        numbers: label -> class index in a file of the devkit's format; None if the list of
            classes of the devkit is not available.
        others: another possible meaning of the labels, to suggest in an error; None if unknown.
    """

    ids: Sequence[str]
    classes: Sequence[str]
    numbers: dict[int, int] | None = None
    others: dict[int, int] | None = None

    def label(self, class_id: str, where: str) -> int:
        """Return the index of a class from its id."""
        if class_id not in self._labels:
            raise GapnetError(
                f"{where}: class {class_id!r} is not one of the {len(self.classes)} of the data set"
            )
        return self._labels[class_id]

    def image(self, name: str, where: str) -> str:
        """Return the id of an image from its id, or from the name of its file."""
        if name in self._names:
            return name
        ids = self._stems.get(stem(name), [])
        if len(ids) > 1:
            raise GapnetError(
                f"{where}: {name!r} is the name of {len(ids)} images of this split; use the "
                f"whole id, such as {ids[0]}"
            )
        if not ids:
            raise GapnetError(
                f"{where}: {name!r} is not an image of this split; is it of another split?"
            )
        return ids[0]

    @cached_property
    def _labels(self) -> dict[str, int]:
        return {class_id: index for index, class_id in enumerate(self.classes)}

    @cached_property
    def _names(self) -> set[str]:
        return set(self.ids)

    @cached_property
    def _stems(self) -> dict[str, list[str]]:
        stems: dict[str, list[str]] = {}
        for image in self.ids:
            stems.setdefault(stem(image), []).append(image)
        return stems


def numbers_from_one(classes: Sequence[str]) -> dict[int, int]:
    """Return number -> class index, if classes are numbered from 1.

    >>> numbers_from_one(["n01440764", "n01443537"])
    {1: 0, 2: 1}
    """
    return {index + 1: index for index in range(len(classes))}


def stem(name: str) -> str:
    """Return the name of an image without folder and suffix.

    >>> stem("val2/ILSVRC2012_val_00000001.JPEG")
    'ILSVRC2012_val_00000001'
    """
    base = name.rpartition("/")[2]
    head, dot, suffix = base.rpartition(".")
    return head if dot and suffix.lower() in IMAGE_SUFFIXES else base


IMAGE_SUFFIXES = {"jpeg", "jpg", "png", "bmp", "webp", "tif", "tiff", "npy"}


def read_fields(
    name: str, fields: Sequence[str], label: Callable[[str], int], where: str
) -> Guessed:
    """Return guesses from fields: a class and the four sides of a box per guess."""
    if len(fields) % FIELDS:
        raise GapnetError(
            f"{where}: has {len(fields)} fields; a guess has five (class xmin ymin xmax ymax)"
        )
    labels, boxes = [], []
    for start in range(0, len(fields), FIELDS):
        class_id, *box = fields[start : start + FIELDS]
        labels.append(label(class_id))
        x1, y1, x2, y2 = (parse_number(side, where) for side in box)
        boxes.append((x1, y1, x2, y2))
    return Guessed(name, labels, boxes)


def check_guesses(guessed: Guessed, where: str) -> Guessed:
    """Return guesses, after checking their number, boxes and scores."""
    if len(guessed.labels) > MOST:
        raise GapnetError(f"{where}: has {len(guessed.labels)} guesses; at most {MOST} count")
    for box in guessed.boxes:
        if not all(abs(edge) <= LARGEST for edge in box):  # also refuses NaN
            raise GapnetError(f"{where}: box {list(box)} must have finite numbers of pixels")
        # Inclusive: a box of less than a pixel, of a map with finer cells, ends before it begins
        if not (box[2] - box[0] > -1 and box[3] - box[1] > -1):
            raise GapnetError(
                f"{where}: box {list(box)} (xmin, ymin, xmax, ymax) must not end before it begins"
            )
    if not all(abs(score) <= GREATEST for score in guessed.scores or []):
        raise GapnetError(f"{where}: scores {guessed.scores} must be finite numbers")
    return guessed


def in_image_order(guesses: Iterable[tuple[str, Guessed]], key: Key, name: str) -> list[Guessed]:
    """Return guesses, which come with their place in the file, in the order of the images."""
    by_id: dict[str, Guessed] = {}
    for where, guessed in guesses:
        if guessed.id in by_id:
            raise GapnetError(f"{where}: image {guessed.id} is listed twice")
        by_id[guessed.id] = check_guesses(guessed, where)
    missing = [image for image in key.ids if image not in by_id]
    if missing:
        raise GapnetError(
            f"{name}: lacks {len(missing)} of {len(key.ids)} images, the first of them {missing[0]}"
        )
    return [by_id[image] for image in key.ids]


def parse_number(text: str, where: str) -> float:
    """Return the number in a text."""
    try:
        return float(text)
    except ValueError:
        raise GapnetError(f"{where}: {text!r} is not a number") from None


def format_number(value: float) -> str:
    """Return a number with the digits that are needed to restore it in single precision.

    >>> format_number(12.0), format_number(0.1)
    ('12', '0.1')
    """
    return format(value, ".9g") if value != round(value) else str(round(value))
