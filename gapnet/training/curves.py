"""What a training logs, in a CSV file that outlives it."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities import rank_zero_only

from gapnet.layout import write_whole

Row = dict[str, Any]
FLUSH_EVERY = 100  # rows


class Curves(Logger):
    """Log a row for each set of figures; a training that goes on adds to the rows it had.

    Lightning's own CSV logger begins by deleting what is there, and rewrites it in place where a
    new column comes: a process that is killed meanwhile takes the curves with it.
    """

    def __init__(self, path: Path, *, keep: int = 0) -> None:
        """Log to a file, of which so many rows are kept."""
        super().__init__()
        self.path, self.keep = path, keep
        self.rows = 0  # in the file
        self._fresh: list[Row] = []
        self._last: Row | None = None
        self._columns: list[str] | None = None

    @property
    def name(self) -> str | None:
        """Have none: there is one in a run."""
        return None

    @property
    def version(self) -> str:
        """Have none, too."""
        return ""

    def log_hyperparams(self, params: object) -> None:
        """Leave them out; config.yaml says them all."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Add a row, unless it is the last one again."""
        row = {**metrics, "step": step}
        if row == self._last:
            return
        self._last = row
        self._fresh.append(row)
        if len(self._fresh) >= FLUSH_EVERY:
            self.save()

    @rank_zero_only
    def save(self) -> None:
        """Write the rows that are not in the file yet."""
        if self._columns is None:
            kept = read_rows(self.path)[: self.keep]
            self._rewrite(kept)
        if set().union(*self._fresh) - set(self._columns or ()):
            self._rewrite(read_rows(self.path) + self._fresh)
        elif self._fresh:
            with self.path.open("a", newline="") as file:
                csv.DictWriter(file, self._columns or ()).writerows(self._fresh)
            self.rows += len(self._fresh)
        self._fresh = []

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Write what is left."""
        del status
        if self._fresh:
            self.save()

    def _rewrite(self, rows: Sequence[Row]) -> None:
        """Write all rows under the columns that they need."""
        self._columns = sorted(set().union(*rows))
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, self._columns)
        writer.writeheader()
        writer.writerows(rows)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self.path, text.getvalue())
        self.rows = len(rows)


def read_rows(path: Path) -> list[Row]:
    """Read the rows of a file that may have been left in the middle of one."""
    if not path.is_file():
        return []
    text = path.read_text()
    return list(csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1], newline="")))
