"""From and to other tools' files: which format a file has, and predictions as guesses."""

import csv
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
from torch import Tensor

from gapnet.errors import GapnetError, reading
from gapnet.evaluation.formats.base import Guessed, Key, counted
from gapnet.evaluation.formats.coco import read_coco, write_coco
from gapnet.evaluation.formats.devkit import read_devkit, write_devkit
from gapnet.evaluation.formats.kaggle import HEADER, read_kaggle, write_kaggle
from gapnet.evaluation.formats.table import read_csv, read_parquet, write_csv
from gapnet.evaluation.ground_truth import GroundTruth
from gapnet.evaluation.predictions import Predictions
from gapnet.evaluation.row_checks import NOBODY
from gapnet.evaluation.store import SCHEMA, About, Row
from gapnet.localization.guesses import MOST

log = logging.getLogger(__name__)
CHANCE = 3  # standard deviations above what blind guesses get
ENOUGH = 50  # images to tell chance from a mistake
DEVKIT = ".txt"
Read = Callable[[Path, Key], list[Guessed]]
Write = Callable[[Sequence[Guessed], Key, Path], None]
WRITERS: dict[str, tuple[Write, str]] = {
    "devkit": (write_devkit, "txt"),
    "kaggle": (write_kaggle, "csv"),
    "csv": (write_csv, "csv"),
    "coco": (write_coco, "json"),
}


def read_guesses(path: Path, key: Key, truth: GroundTruth, *, doubt: bool = True) -> list[Guessed]:
    """Read a file of whichever format it is in, and doubt it where it is no better than chance."""
    with reading(path, f"cannot be read as {path.suffix.lstrip('.').upper() or 'predictions'}"):
        reader = _reader_of(path)
        guesses = reader(path, key)
    if not any(each.labels for each in guesses):
        raise GapnetError(f"{path}: holds no guess for any of the {len(guesses)} images")
    silent = [each.id for each in guesses if not each.labels]
    if silent:
        log.warning(
            "%s: has no guess for %d of %d images, which count as wrong; the first of them is %s",
            path,
            len(silent),
            len(guesses),
            silent[0],
        )
    if doubt and truth.known and _by_chance(guesses, truth, key):
        told = _suspicion(path, key, truth, reader)
        if reader is read_devkit:
            raise GapnetError(f"{told} (doubt=false scores it all the same)")
        log.warning(told)
    return guesses


def guesses_of(predictions: Predictions) -> list[Guessed]:
    """Take the guesses out of predictions; a guess has the score of its class."""
    guesses = []
    columns = ["id", "classes", "scores", "guess_labels", "guess_boxes"]
    for row in predictions.table.select(columns).to_pylist():
        labels, edges = row["guess_labels"], row["guess_boxes"]
        made = [place for place, label in enumerate(labels) if label != NOBODY]
        # Another tool's predictions may have no scores
        by_class = dict(zip(row["classes"], row["scores"], strict=bool(row["scores"])))
        scores = [by_class[labels[place]] for place in made if labels[place] in by_class]
        guesses.append(
            Guessed(
                row["id"],
                [labels[place] for place in made],
                [tuple(edges[4 * place : 4 * place + 4]) for place in made],
                scores if len(scores) == len(made) else None,
            )
        )
    return guesses


def predictions_of(guesses: Sequence[Guessed], sizes: Tensor, about: About) -> Predictions:
    """Make predictions of guesses for images of sizes (N, 2)."""
    rows = [
        Row(
            id=each.id,
            height=height,
            width=width,
            classes=each.labels,
            scores=each.scores or [],
            guess_labels=each.labels,
            guess_boxes=[edge for box in each.boxes for edge in box],
        )._asdict()
        for each, (height, width) in zip(guesses, sizes.tolist(), strict=True)
    ]
    return Predictions(pa.Table.from_pylist(rows, schema=SCHEMA), about)


def check_inside(guesses: Sequence[Guessed], sizes: Tensor, path: Path) -> None:
    """Refuse boxes that begin beyond their image of sizes (N, 2): they were made for another."""
    listed = path.suffix.lower() == DEVKIT
    for each, (height, width) in zip(guesses, sizes.tolist(), strict=True):
        for box in each.boxes if height else ():  # none of a file that could not be read
            if box[0] > width or box[1] > height or box[2] < 0 or box[3] < 0:
                hint = "lines in the order of the file names" if listed else "boxes in its pixels"
                raise GapnetError(
                    f"{path}: box {list(box)} lies outside image {each.id} of {width} x {height} "
                    f"pixels; are the {hint}?"
                )


def _reader_of(path: Path) -> Read:
    suffixes: dict[str, Read] = {
        ".json": read_coco,
        ".parquet": read_parquet,
        DEVKIT: read_devkit,
        ".csv": read_kaggle if _is_kaggle(path) else read_csv,
    }
    if path.suffix.lower() not in suffixes:
        raise GapnetError(
            f"predictions={path}: must be a run folder, a folder of predictions, or a file "
            "that ends in .txt (devkit), .csv (Kaggle, or a table), .json (COCO) or .parquet"
        )
    return suffixes[path.suffix.lower()]


def _is_kaggle(path: Path) -> bool:
    if path.suffix.lower() != ".csv":
        return False
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        return next(csv.reader(file), []) == HEADER


def _by_chance(guesses: Sequence[Guessed], truth: GroundTruth, key: Key) -> bool:
    """Tell whether guesses, the first or all, are right no more often than blind ones might be."""
    return len(guesses) >= ENOUGH and all(
        _as_blind([each.labels[:within] for each in guesses], truth.labels.tolist(), key)
        for within in (1, MOST)
    )


def _as_blind(guessed: Sequence[Sequence[int]], labels: Sequence[int], key: Key) -> bool:
    found = sum(label in each for each, label in zip(guessed, labels, strict=True))
    shares = [len(set(each)) / len(key.classes) for each in guessed]
    deviation = math.sqrt(sum(share * (1 - share) for share in shares))
    return found <= sum(shares) + CHANCE * deviation


def _suspicion(path: Path, key: Key, truth: GroundTruth, reader: Read) -> str:
    """Say what is probably wrong: the other reading of the labels is tried."""
    told = f"{path}: the right class is guessed about as often as by chance"
    if reader is not read_devkit:
        return f"{told}; are these predictions for other images, or other classes?"
    if key.others in (None, key.numbers) or _by_chance(
        read_devkit(path, replace(key, numbers=key.others)), truth, key
    ):
        return f"{told}; its lines must be in the order of the file names"
    if key.others == counted(key.classes):
        return f"{told} by ILSVRC's numbers, but often by places in its classes: say labels=index"
    return f"{told} by places in its classes, but often by ILSVRC's numbers: leave out labels=index"
