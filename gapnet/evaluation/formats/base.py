"""What every format has in common: guesses by image, and what ids and labels mean."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from gapnet.errors import GapnetError
from gapnet.localization.guesses import MOST
from gapnet.ops.boxes import LARGEST

GREATEST = 3e38  # score: single precision has not much more
FIELDS = 5  # of a guess that is written out: class and box


class Guessed(NamedTuple):
    """Hold the guesses for one image: labels, boxes and perhaps scores, most confident first."""

    id: str
    labels: list[int]
    boxes: list[tuple[float, float, float, float]]
    scores: list[float] | None = None


@dataclass(frozen=True)
class Key:
    """Say what the ids and the labels of a file mean.

    Args:
        ids: of the images.
        classes: ids in the order of the index.
        numbers: the class index of each label of a file in the devkit's format; None where the
            devkit's list of classes is not at hand.
        others: what the labels would mean if it were not as `numbers` says, if anything is known.
    """

    ids: Sequence[str]
    classes: Sequence[str]
    numbers: dict[int, int] | None = None
    others: dict[int, int] | None = None

    def label(self, class_id: str, where: str) -> int:
        """Find a class by its id."""
        if class_id not in self._labels:
            raise GapnetError(
                f"{where}: class {class_id!r} is none of the {len(self.classes)} of the data set"
            )
        return self._labels[class_id]

    def image(self, name: str, where: str) -> str:
        """Find an image by its id, or by the name of its file."""
        if name in self._names:
            return name
        found = self._stems.get(stem(name), [])
        if len(found) > 1:
            raise GapnetError(
                f"{where}: {name!r} is the name of {len(found)} images of this split; give the "
                f"whole id, such as {found[0]}"
            )
        if not found:
            raise GapnetError(
                f"{where}: {name!r} is no image of this split; is it another split's?"
            )
        return found[0]

    @cached_property
    def _labels(self) -> dict[str, int]:
        return {class_id: index for index, class_id in enumerate(self.classes)}

    @cached_property
    def _names(self) -> set[str]:
        return set(self.ids)

    @cached_property
    def _stems(self) -> dict[str, list[str]]:
        stems: dict[str, list[str]] = {}
        for each in self.ids:
            stems.setdefault(stem(each), []).append(each)
        return stems


def counted(classes: Sequence[str]) -> dict[int, int]:
    """Number classes from 1 in the order of the index.

    >>> counted(["n01440764", "n01443537"])
    {1: 0, 2: 1}
    """
    return {index + 1: index for index in range(len(classes))}


def stem(name: str) -> str:
    """Give the bare name of an image.

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
    """Read guesses that are written as fields, a class and the four sides of its box each."""
    if len(fields) % FIELDS:
        raise GapnetError(
            f"{where}: has {len(fields)} fields; a guess has five (class xmin ymin xmax ymax)"
        )
    labels, boxes = [], []
    for start in range(0, len(fields), FIELDS):
        class_id, *box = fields[start : start + FIELDS]
        labels.append(label(class_id))
        x1, y1, x2, y2 = (number(each, where) for each in box)
        boxes.append((x1, y1, x2, y2))
    return Guessed(name, labels, boxes)


def check_guesses(guessed: Guessed, where: str) -> Guessed:
    """Refuse guesses that no evaluation could mean."""
    if len(guessed.labels) > MOST:
        raise GapnetError(f"{where}: has {len(guessed.labels)} guesses; at most {MOST} count")
    for box in guessed.boxes:
        if not all(abs(edge) <= LARGEST for edge in box):  # nor is it NaN
            raise GapnetError(f"{where}: box {list(box)} must be of finite numbers of pixels")
        # Inclusive: where cells of a map are finer than pixels, a box of less than one ends earlier
        if not (box[2] - box[0] > -1 and box[3] - box[1] > -1):
            raise GapnetError(
                f"{where}: box {list(box)} (xmin, ymin, xmax, ymax) must not end before it begins"
            )
    if not all(abs(score) <= GREATEST for score in guessed.scores or []):
        raise GapnetError(f"{where}: scores {guessed.scores} must be finite numbers")
    return guessed


def in_order(found: Iterable[tuple[str, Guessed]], key: Key, name: str) -> list[Guessed]:
    """Put guesses, each with the place it was read at, into the order of the images."""
    by_id: dict[str, Guessed] = {}
    for where, guessed in found:
        if guessed.id in by_id:
            raise GapnetError(f"{where}: image {guessed.id} is there twice")
        by_id[guessed.id] = check_guesses(guessed, where)
    missing = [each for each in key.ids if each not in by_id]
    if missing:
        raise GapnetError(
            f"{name}: lacks {len(missing)} of {len(key.ids)} images, the first of them {missing[0]}"
        )
    return [by_id[each] for each in key.ids]


def number(text: str, where: str) -> float:
    """Read a number."""
    try:
        return float(text)
    except ValueError:
        raise GapnetError(f"{where}: {text!r} is no number") from None


def written(value: float) -> str:
    """Write a number in the fewest digits that give it back in single precision.

    >>> written(12.0), written(0.1)
    ('12', '0.1')
    """
    return format(value, ".9g") if value != round(value) else str(round(value))
