"""Reads and writes files of other tools: the format of a file, and guesses of predictions."""

import csv
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from gapnet.errors import GapnetError, reading
from gapnet.evaluation.formats.base import Guessed, Key, numbers_from_one
from gapnet.evaluation.formats.coco import read_coco_guesses, write_coco
from gapnet.evaluation.formats.devkit import read_devkit, write_devkit
from gapnet.evaluation.formats.kaggle import HEADER, read_kaggle, write_kaggle
from gapnet.evaluation.formats.table import read_csv_guesses, read_parquet_guesses, write_csv
from gapnet.evaluation.ground_truth import SplitTruth
from gapnet.evaluation.predictions import Predictions
from gapnet.evaluation.row_checks import NOBODY
from gapnet.evaluation.store import Row
from gapnet.localization.guesses import MOST

log = logging.getLogger(__name__)
CHANCE = 3  # standard deviations above the hits of random guesses
ENOUGH = 50  # images needed for this check
DEVKIT = ".txt"
Read = Callable[[Path, Key], list[Guessed]]
Write = Callable[[Sequence[Guessed], Key, Path], None]
WRITERS: dict[str, tuple[Write, str]] = {
    "devkit": (write_devkit, "txt"),
    "kaggle": (write_kaggle, "csv"),
    "csv": (write_csv, "csv"),
    "coco": (write_coco, "json"),
}


def read_guesses(
    path: Path, key: Key, truth: SplitTruth, *, check_labels: bool = True
) -> list[Guessed]:
    """Read a file in any format; with `check_labels`, check that it is better than chance."""
    with reading(path, f"cannot be read as {path.suffix.lstrip('.').upper() or 'predictions'}"):
        reader = _reader_of(path)
        guesses = reader(path, key)
    if not any(guessed.labels for guessed in guesses):
        raise GapnetError(f"{path}: contains no guess for any of the {len(guesses)} images")
    without_guess = [guessed.id for guessed in guesses if not guessed.labels]
    if without_guess:
        log.warning(
            "%s: has no guess for %d of %d images, which count as wrong; the first of them is %s",
            path,
            len(without_guess),
            len(guesses),
            without_guess[0],
        )
    if check_labels and truth.known and _by_chance(guesses, truth, key):
        problem = _suspicion(path, key, truth, reader)
        if reader is read_devkit:
            raise GapnetError(f"{problem} (check_labels=false skips this check)")
        log.warning(problem)
    return guesses


def guesses_of(predictions: Predictions) -> list[Guessed]:
    """Return the guesses of predictions; a guess has the score of its class."""
    guesses = []
    columns = ["id", "classes", "scores", "guess_labels", "guess_boxes"]
    for row in predictions.table.select(columns).to_pylist():
        labels, edges = row["guess_labels"], row["guess_boxes"]
        present = [index for index, label in enumerate(labels) if label != NOBODY]
        # Another tool's predictions may have no scores
        by_class = dict(zip(row["classes"], row["scores"], strict=bool(row["scores"])))
        scores = [by_class[labels[index]] for index in present if labels[index] in by_class]
        guesses.append(
            Guessed(
                row["id"],
                [labels[index] for index in present],
                [tuple(edges[4 * index : 4 * index + 4]) for index in present],
                scores if len(scores) == len(present) else None,
            )
        )
    return guesses


def rows_of(guesses: Sequence[Guessed], sizes: Tensor) -> list[Row]:
    """Return rows of predictions with these guesses, for images of sizes (N, 2)."""
    return [
        Row(
            id=guessed.id,
            height=height,
            width=width,
            classes=guessed.labels,
            scores=guessed.scores or [],
            guess_labels=guessed.labels,
            guess_boxes=[edge for box in guessed.boxes for edge in box],
        )
        for guessed, (height, width) in zip(guesses, sizes.tolist(), strict=True)
    ]


def check_boxes_inside(guesses: Sequence[Guessed], sizes: Tensor, path: Path) -> None:
    """Refuse boxes outside their image of sizes (N, 2): they belong to another image."""
    by_line = path.suffix.lower() == DEVKIT
    for guessed, (height, width) in zip(guesses, sizes.tolist(), strict=True):
        for box in guessed.boxes if height else ():  # height 0: the image could not be read
            if box[0] > width or box[1] > height or box[2] < 0 or box[3] < 0:
                hint = "lines in the order of the file names" if by_line else "boxes in its pixels"
                raise GapnetError(
                    f"{path}: box {list(box)} is outside image {guessed.id} of {width} x {height} "
                    f"pixels; are the {hint}?"
                )


def _reader_of(path: Path) -> Read:
    suffixes: dict[str, Read] = {
        ".json": read_coco_guesses,
        ".parquet": read_parquet_guesses,
        DEVKIT: read_devkit,
        ".csv": read_kaggle if _is_kaggle(path) else read_csv_guesses,
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


def _by_chance(guesses: Sequence[Guessed], truth: SplitTruth, key: Key) -> bool:
    """Return whether the first guesses and all guesses are right about as often as by chance."""
    return len(guesses) >= ENOUGH and all(
        _is_random([guessed.labels[:within] for guessed in guesses], truth.labels.tolist(), key)
        for within in (1, MOST)
    )


def _is_random(guessed: Sequence[Sequence[int]], labels: Sequence[int], key: Key) -> bool:
    hits = sum(label in image for image, label in zip(guessed, labels, strict=True))
    shares = [len(set(image)) / len(key.classes) for image in guessed]
    deviation = math.sqrt(sum(share * (1 - share) for share in shares))
    return hits <= sum(shares) + CHANCE * deviation


def _suspicion(path: Path, key: Key, truth: SplitTruth, reader: Read) -> str:
    """Return what is probably wrong, after trying the other meaning of the labels."""
    problem = f"{path}: the right class is guessed about as often as by chance"
    if reader is not read_devkit:
        return f"{problem}; are these predictions for other images, or other classes?"
    if key.others in (None, key.numbers) or _by_chance(
        read_devkit(path, replace(key, numbers=key.others)), truth, key
    ):
        return f"{problem}; its lines must be in the order of the file names"
    if key.others == numbers_from_one(key.classes):
        return f"{problem} by ILSVRC's numbers, but often by class index; use labels=index"
    return f"{problem} by class index, but often by ILSVRC's numbers; leave out labels=index"
