"""On which images several runs agree: verdicts on first guesses, and a choice of images."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import torch
from torch import Tensor

from gapnet.errors import GapnetError
from gapnet.evaluation.breakdown import KINDS
from gapnet.evaluation.compare import aligned, read_verdicts

RIGHT = "right"
LOCALIZATION = "top1_localization_error"
# Metrics that judge without it, in the order of preference, and the verdict if an image is wrong
OTHERS = {"top1_error": "wrong_class", "gt_known_error": "elsewhere"}


class Counts(NamedTuple):
    """Numbers of images by which of two runs is right."""

    both: int
    only_a: int
    only_b: int
    none: int


@dataclass(frozen=True)
class Agreement:
    """Verdicts of several runs on the same images.

    Args:
        ids: of all images.
        kinds: by run, the verdict on each image: right, or the kind of error; None if it does not
            count.
        data: title of the data set.
        split: of the images.
        protocol: name of the one that judges.
        metric: that judges.
    """

    ids: Sequence[str]
    kinds: Sequence[Sequence[str | None]]
    data: str
    split: str
    protocol: str
    metric: str

    @property
    def rows(self) -> list[int]:
        """Return the rows of the images that count in every run."""
        return [row for row, kinds in enumerate(zip(*self.kinds, strict=True)) if None not in kinds]

    @property
    def right(self) -> Tensor:
        """Return whether runs are right on the images that count, (R, M)."""
        return torch.tensor([[kinds[row] == RIGHT for row in self.rows] for kinds in self.kinds])

    def counts(self, a: int, b: int) -> Counts:
        """Return the numbers of images by which of two runs, given by number, is right."""
        first, other = self.right[a], self.right[b]
        parts = (first & other, first & ~other, other & ~first, ~first & ~other)
        return Counts(*(int(part.sum()) for part in parts))

    def choose(self, count: int) -> list[int]:
        """Return the rows of `count` images, those on which the runs disagree first."""
        rows = self.rows
        return [rows[index] for index in choose_compared(self.right, count)]


def read_agreement(paths: Sequence[Path]) -> Agreement:
    """Read files of verdicts on the same images; the first common protocol judges."""
    first, *others = map(read_verdicts, paths)
    pairs = zip(others, paths[1:], strict=True)
    tables = [first, *(aligned(first, table, paths[0], path) for table, path in pairs)]
    columns = [set(table.column_names) for table in tables]
    common = [name for name in first.column_names if all(name in names for names in columns)]
    protocol, metric = _judging(common, paths)
    return Agreement(
        first["id"].to_pylist(),
        [verdict_kinds(table, protocol, metric) for table in tables],
        first.schema.metadata[b"data"].decode(),
        first.schema.metadata[b"split"].decode(),
        protocol,
        metric,
    )


def _judging(columns: Sequence[str], paths: Sequence[Path]) -> tuple[str, str]:
    """Return the first protocol, and the metric by which it judges images."""
    protocols = dict.fromkeys(name.partition("/")[0] for name in columns if "/" in name)
    for protocol in protocols:
        for metric in (LOCALIZATION, *OTHERS):
            if f"{protocol}/{metric}" in columns:
                return protocol, metric
    raise GapnetError(
        f"{', '.join(map(str, paths))}: have no common metric that judges single images; score "
        "the runs by one protocol (gapnet evaluate predictions=RUN protocol=...)"
    )


def verdict_kinds(table: pa.Table, protocol: str, metric: str) -> list[str | None]:
    """Return the verdict on each image: right, or the kind of error; None if it does not count."""
    parts = {LOCALIZATION: {kind: f"{LOCALIZATION}/{kind}" for kind in KINDS}}
    columns = parts.get(metric) or {OTHERS[metric]: metric}
    errors = {kind: table[f"{protocol}/{name}"].to_pylist() for kind, name in columns.items()}
    counted = table[f"{protocol}/{metric}"].to_pylist()
    return [
        None if value is None else next((kind for kind in errors if errors[kind][row]), RIGHT)
        for row, value in enumerate(counted)
    ]


def choose_compared(right: Tensor, count: int) -> list[int]:
    """Return `count` columns of verdicts (R, M) of R runs, at random, but always the same ones.

    Images on which the runs disagree come first, in turn by which runs are right; then those on
    which they agree, in turn wrong and right.

    >>> choose_compared(torch.tensor([[True, False, False], [True, True, False]]), 3)
    [1, 2, 0]
    """
    order = torch.randperm(right.shape[1], generator=torch.Generator().manual_seed(0)).tolist()
    by_pattern: dict[tuple[bool, ...], list[int]] = {}
    for column in order:
        by_pattern.setdefault(tuple(right[:, column].tolist()), []).append(column)
    patterns = sorted(by_pattern)
    differing = [by_pattern[pattern] for pattern in patterns if len(set(pattern)) > 1]
    agreeing = [by_pattern[pattern] for pattern in patterns if len(set(pattern)) == 1]
    return [*_in_turn(differing), *_in_turn(agreeing)][:count]


def _in_turn(lists: Sequence[Sequence[int]]) -> list[int]:
    return [item for turn in zip_longest(*lists) for item in turn if item is not None]
