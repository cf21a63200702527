"""What the labels of other tools' files mean, and submissions."""

from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from gapnet.data.devkit import ids_to_indices, read_synset_ids
from gapnet.data.sample import Source
from gapnet.errors import GapnetError
from gapnet.evaluation.formats.base import Key
from gapnet.evaluation.formats.exchange import WRITERS, guesses_of
from gapnet.evaluation.predictions import Predictions

ILSVRC = 1000  # classes whose numbers only the devkit tells; others are counted in their order
LABELS = ("devkit", "index")


def key_of(cfg: DictConfig, source: Source, ids: Sequence[str]) -> Key:
    """Say what a file's ids and labels mean."""
    told = getattr(source, "devkit_ids", lambda: None)()
    return Key(ids, source.classes, numbers_of(cfg, source.classes, told))


def numbers_of(
    cfg: DictConfig, classes: Sequence[str], told: dict[int, int] | None
) -> dict[int, int] | None:
    """Find the class index of each number of the devkit's format: from a file, or as told."""
    if cfg.labels not in LABELS:
        raise GapnetError(f"labels={cfg.labels}: must be devkit or index")
    if cfg.labels == "index":
        return {index + 1: index for index in range(len(classes))}
    if cfg.synsets is not None:
        path = Path(cfg.synsets)
        if not path.is_file():
            raise GapnetError(f"synsets={path}: no such file")
        return ids_to_indices(read_synset_ids(path), classes, where=path)
    counted = {index + 1: index for index in range(len(classes))}
    return told or (None if len(classes) == ILSVRC else counted)


def write_submission(predictions: Predictions, key: Key, folder: Path) -> list[Path]:
    """Write predictions as servers take them; the devkit's way where its numbers are known."""
    folder.mkdir(parents=True, exist_ok=True)
    guesses, written = guesses_of(predictions), []
    for name in ("kaggle", "devkit") if key.numbers else ("kaggle",):
        write, suffix = WRITERS[name]
        path = folder / f"{name}.{suffix}"
        write(guesses, key, path)
        written.append(path)
    return written
