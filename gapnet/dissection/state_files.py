"""Files with the state of an unfinished pass, from which it continues; ranks write their own."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gapnet.dissection.thresholds import Arrays
from gapnet.errors import GapnetError, reading
from gapnet.system.files import atomic_file

SAVE_EVERY = 60.0  # seconds
ROWS, IDENTITY = "rows", "identity"


class SavedState(NamedTuple):
    """Rows of the images that a state comes from, and its arrays."""

    rows: list[int]
    arrays: Arrays


class StateFile:
    """File of the state of one process."""

    def __init__(
        self, folder: Path, stage: str, identity: str, *, every: float = SAVE_EVERY
    ) -> None:
        """Write to a new file; `identity` says what the state is of."""
        self.folder, self.stage, self.identity, self.every = folder, stage, identity, every
        self.rows: list[int] = []
        self._saved = time.monotonic()
        self._path: Path | None = None

    def add(self, rows: list[int], arrays: Callable[[], Arrays]) -> None:
        """Add rows that are in the state; write the state if the last time is long ago."""
        self.rows += rows
        if time.monotonic() - self._saved >= self.every:
            self.save(arrays())

    def save(self, arrays: Arrays) -> None:
        """Write the state."""
        if not self.rows:
            return
        self._path = self._path or self._new_path()
        write_arrays(self._path, {**arrays, ROWS: np.array(self.rows)}, self.identity)
        self._saved = time.monotonic()

    def name_after(self, rank: int) -> None:
        """Write to a file that is named after the rank."""
        self.stage = f"{self.stage}-{rank:03d}"

    def _new_path(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        number = 0
        while (path := self.folder / f"{self.stage}-{number:03d}.npz").exists():
            number += 1
        return path


def saved_states(folder: Path, stage: str, identity: str) -> Iterator[SavedState]:
    """Read the states of a stage, one after the other; states of other networks are an error."""
    for path in sorted(folder.glob(f"{stage}-*.npz")):
        arrays = read_arrays(path, identity)
        yield SavedState(arrays.pop(ROWS).tolist(), arrays)


def write_arrays(path: Path, arrays: Arrays, identity: str) -> None:
    """Write arrays atomically."""
    with atomic_file(path, durable=False) as unfinished, unfinished.open("wb") as file:
        np.savez(file, allow_pickle=False, **{**arrays, IDENTITY: np.array(identity)})


def read_arrays(path: Path, identity: str) -> Arrays:
    """Read arrays; those of another network or data are an error."""
    with reading(path, "cannot be read", "delete it; resume=true computes it again"):
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        saved = str(arrays.pop(IDENTITY))
    if saved != identity:
        raise GapnetError(
            f"resume=true: {path} is of another network or other data; leave out resume=true"
        )
    return arrays
