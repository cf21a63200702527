"""Error rates per class."""

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
    """Numbers of images that count and their errors, by metric, both (C,)."""

    counts: dict[str, Tensor]
    errors: dict[str, Tensor]


def class_errors(verdicts: Sequence[Verdict], labels: Tensor, count: int) -> ClassErrors:
    """Return the means per class at the fixed threshold; NaN for classes without images."""
    by_class = ClassErrors({}, {})
    for verdict in verdicts:
        if verdict.metric in SHOWN and verdict.metric not in by_class.errors:
            row_labels = labels[verdict.rows]
            sums = torch.bincount(row_labels, verdict.values[verdict.rows], minlength=count)
            by_class.counts[verdict.metric] = torch.bincount(row_labels, minlength=count)
            by_class.errors[verdict.metric] = sums / by_class.counts[verdict.metric]
    return by_class


def rank(by_class: ClassErrors) -> tuple[str, list[int]]:
    """Return the last metric, and the classes with images by its error, the easiest first."""
    metric, errors = list(by_class.errors.items())[-1]
    order = torch.argsort(errors, stable=True).tolist()
    return metric, [index for index in order if not errors[index].isnan()]


def write_classes(
    by_class: ClassErrors, ids: Sequence[str], names: Sequence[str], path: Path
) -> None:
    """Write classes.csv, with one row per class."""
    pairs = [(name, f"{name}_n") for name in by_class.errors]
    header = ("class_id", "class_name", *(column for pair in pairs for column in pair))
    columns = [
        values.tolist()
        for name in by_class.errors
        for values in (by_class.errors[name], by_class.counts[name])
    ]
    rows = zip(ids, names, *columns, strict=True)
    with (
        atomic_file(path) as unfinished,
        unfinished.open("w", newline="", encoding="utf-8") as file,
    ):
        write_rows(file, [header, *rows])
