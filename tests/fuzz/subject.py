"""A kind of file that gapnet reads: a valid one, how it is read, and what must then hold."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from gapnet.data.record_table import UNKNOWN
from gapnet.data.records import Records

BEYOND = 2**24  # pixels of a side, from where single precision leaves some out


@dataclass(frozen=True)
class Subject:
    """Hold a kind of file.

    Args:
        name: of it.
        make: writes a valid one into a folder, with all that belongs to it, and gives its path.
        read: reads the file as a command does, refuses to give what no command could go on with,
            and gives something that can be compared.
    """

    name: str
    make: Callable[[Path], Path]
    read: Callable[[Path], Any]

    def __str__(self) -> str:
        return self.name


def sane_box(box: Iterable[float]) -> None:
    x1, y1, x2, y2 = box
    assert all(map(math.isfinite, (x1, y1, x2, y2))), box
    assert 0 <= x1 <= x2 <= BEYOND, box
    assert 0 <= y1 <= y2 <= BEYOND, box


def sane_records(records: Records, classes: int) -> Records:
    assert len(records)
    for record in records:
        assert record.id
        assert record.label == UNKNOWN or 0 <= record.label < classes, record
        for box in [] if record.boxes is None else record.boxes.tolist():
            sane_box(box)
    return records


def sane_state(state: dict[str, torch.Tensor]) -> None:
    for name, value in state.items():
        assert torch.isfinite(value).all(), name
