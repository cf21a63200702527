"""Figures of each class: which are easy, which are hard."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from gapnet.evaluation.verdicts import Verdict
from gapnet.system.files import atomic_file
from gapnet.text.spreadsheet import write_rows

SHOWN = ("top1_error", "top1_localization_error", "gt_known_error")


class ClassErrors(NamedTuple):
    """Hold, by metric, how many images of each class count, and their error, (C,) each."""

    counts: dict[str, Tensor]
    errors: dict[str, Tensor]


def class_errors(verdicts: Sequence[Verdict], labels: Tensor, count: int) -> ClassErrors:
    """Take the mean of each class, of the figures at the fixed threshold; NaN without images."""
    found = ClassErrors({}, {})
    for verdict in verdicts:
        if verdict.metric in SHOWN and verdict.metric not in found.errors:
            among = labels[verdict.rows]
            sums = torch.bincount(among, verdict.values[verdict.rows], minlength=count)
            found.counts[verdict.metric] = torch.bincount(among, minlength=count)
            found.errors[verdict.metric] = sums / found.counts[verdict.metric]
    return found


def rank(found: ClassErrors) -> tuple[str, list[int]]:
    """Order the classes that have images by the last of the errors, the easiest first."""
    metric, errors = list(found.errors.items())[-1]
    order = torch.argsort(errors, stable=True).tolist()
    return metric, [index for index in order if not errors[index].isnan()]


def write_classes(found: ClassErrors, ids: Sequence[str], names: Sequence[str], path: Path) -> None:
    """Write a row for each class."""
    pairs = [(name, f"{name}_n") for name in found.errors]
    header = ("class_id", "class_name", *(each for pair in pairs for each in pair))
    columns = [
        each.tolist() for name in found.errors for each in (found.errors[name], found.counts[name])
    ]
    rows = zip(ids, names, *columns, strict=True)
    with (
        atomic_file(path) as unfinished,
        unfinished.open("w", newline="", encoding="utf-8") as file,
    ):
        write_rows(file, [header, *rows])
