"""What the labels of other tools' files mean, and submissions."""

from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from gapnet.data.readers.devkit import ids_to_indices, read_synset_ids
from gapnet.data.sample import Numbered, Source
from gapnet.errors import GapnetError
from gapnet.evaluation.formats.base import Key, counted
from gapnet.evaluation.formats.exchange import WRITERS, guesses_of
from gapnet.evaluation.predictions import Predictions
from gapnet.system.files import atomic_file

ILSVRC = 1000  # classes whose numbers only the devkit tells; others are counted in their order
LABELS = ("devkit", "index")
KAGGLE = "kaggle"  # the format of every submission


def key_of(cfg: DictConfig, source: Source, ids: Sequence[str]) -> Key:
    """Say what a file's ids and labels mean."""
    numbers, indices = numbers_of(cfg, source), counted(source.classes)
    told = told_by(source)
    others = _devkit_numbers(cfg, source.classes, told) if numbers == indices else indices
    return Key(ids, source.classes, numbers, others)


def numbers_of(cfg: DictConfig, source: Source) -> dict[int, int] | None:
    """Find the class index of each number of the devkit's format: from a file, or the data."""
    return numbers_of_classes(cfg, source.classes, told_by(source))


def numbers_of_classes(
    cfg: DictConfig, classes: Sequence[str], told: dict[int, int] | None
) -> dict[int, int] | None:
    """Find the class index of each number of the devkit's format: from a file, or as told."""
    labels = cfg.get("labels", LABELS[0])
    if labels not in LABELS:
        raise GapnetError(f"labels={labels}: must be devkit or index")
    return counted(classes) if labels == "index" else _devkit_numbers(cfg, classes, told)


def told_by(source: Source) -> dict[int, int] | None:
    """Ask a data set for the class index of each of ILSVRC's numbers."""
    return source.devkit_ids() if isinstance(source, Numbered) else None


def _devkit_numbers(
    cfg: DictConfig, classes: Sequence[str], told: dict[int, int] | None
) -> dict[int, int] | None:
    if cfg.get("synsets") is not None:
        path = Path(cfg.synsets)
        if not path.is_file():
            raise GapnetError(f"synsets={path}: no such file")
        return ids_to_indices(read_synset_ids(path), classes, where=path)
    return told or (None if len(classes) == ILSVRC else counted(classes))


def write_submission(predictions: Predictions, key: Key, folder: Path) -> list[Path]:
    """Write predictions as servers take them; the devkit's way where its numbers are known.

    Kaggle's file is the last one: where it is, the others are complete.
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
