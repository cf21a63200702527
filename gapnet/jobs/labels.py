"""What the labels in files of other tools mean, and submissions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gapnet.data.readers.devkit import ids_to_indices, read_synset_ids
from gapnet.data.sample import Numbered, Source
from gapnet.errors import GapnetError
from gapnet.evaluation.formats.base import Key, numbers_from_one
from gapnet.evaluation.formats.exchange import WRITERS, guesses_of
from gapnet.evaluation.predictions import Predictions
from gapnet.system.files import atomic_file
from gapnet.system.value_checks import one_of

ILSVRC = 1000  # classes whose numbers only the devkit knows; others are counted in their order
LABELS = ("devkit", "index")
KAGGLE = "kaggle"  # the format of every submission
Numbers = dict[int, int]  # label in a file -> class index


@dataclass(frozen=True)
class LabelRule:
    """What labels in the devkit's format stand for.

    Args:
        labels: devkit, ILSVRC's own numbers; index, the place among the classes, from 1.
        synsets: the devkit's list of classes, if the data set has none.
    """

    labels: Literal["devkit", "index"] = "devkit"
    synsets: Path | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        one_of("labels", self.labels, LABELS)
        if self.synsets is not None and not self.synsets.is_file():
            raise GapnetError(f"synsets={self.synsets}: no such file")

    def numbers(self, classes: Sequence[str], known: Numbers | None) -> Numbers | None:
        """Return label -> class index, from a file or from the data set."""
        return numbers_from_one(classes) if self.labels == "index" else self._devkit(classes, known)

    def numbers_of(self, source: Source) -> Numbers | None:
        """Return label -> class index for a data set."""
        return self.numbers(source.classes, devkit_ids(source))

    def key(self, source: Source, ids: Sequence[str]) -> Key:
        """Return what the ids and labels in a file mean."""
        classes = source.classes
        numbers, indices = self.numbers_of(source), numbers_from_one(classes)
        others = self._devkit(classes, devkit_ids(source)) if numbers == indices else indices
        return Key(ids, classes, numbers, others)

    def _devkit(self, classes: Sequence[str], known: Numbers | None) -> Numbers | None:
        if self.synsets is not None:
            return ids_to_indices(read_synset_ids(self.synsets), classes, where=self.synsets)
        return known or (None if len(classes) == ILSVRC else numbers_from_one(classes))


def devkit_ids(source: Source) -> Numbers | None:
    """Return ILSVRC's number -> class index, if the data set has them."""
    return source.devkit_ids() if isinstance(source, Numbered) else None


def write_submission(predictions: Predictions, key: Key, folder: Path) -> list[Path]:
    """Write predictions for a server; also in the devkit's format if its numbers are known.

    Kaggle's file is written last: if it exists, the others are complete.
    """
    folder.mkdir(parents=True, exist_ok=True)
    guesses, written = guesses_of(predictions), []
    for name in ("devkit", KAGGLE) if key.numbers else (KAGGLE,):
        write, suffix = WRITERS[name]
        path = folder / f"{name}.{suffix}"
        with atomic_file(path) as unfinished:
            write(guesses, key, unfinished)
        written.append(path)
    return written
