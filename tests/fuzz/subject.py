"""A kind of file that gapnet reads: how a valid one is made, read and checked."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from gapnet.data.record_table import UNKNOWN
from gapnet.data.records import Records

BEYOND = 2**24  # pixels of a side; above it, single precision skips some


@dataclass(frozen=True)
class Subject:
    """A kind of file and its reader.

    Args:
        name: for people.
        make: writes a valid file into a folder, with all files that belong to it; returns its path.
        read: reads the file as a command does, checks that the result is sane, and returns
            something that can be compared.
        checksum: of what the file holds one: one flipped bit there is refused or changes nothing.
        refuses: most flipped bits are refused.
    """

    name: str
    make: Callable[[Path], Path]
    read: Callable[[Path], Any]
    checksum: Literal["nothing", "content", "file"] = "nothing"
    refuses: bool = True

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
