"""What a training logs, in a CSV file that outlives it."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytorch_lightning.utilities import rank_zero_only

from gapnet.system.files import name_errors, write_file
from gapnet.training.logger_base import RunLogger

Row = dict[str, Any]
FLUSH_EVERY = 100  # rows


class Curves(RunLogger):
    """Log a row for each set of figures; a training that goes on adds to the rows it had.

    Lightning's own CSV logger begins by deleting what is there, and rewrites it in place where a
    new column comes: a process that is killed meanwhile takes the curves with it.
    """

    def __init__(self, path: Path, *, text: str = "") -> None:
        """Log to a file, which begins with a text; what else lies there is written over."""
        super().__init__()
        self.path = path
        self.text = text  # of the file; checkpoints keep it
        self._fresh: list[Row] = []
        self._last: Row | None = None
        self._columns: list[str] | None = None

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
        """Write the rows that are not in the file yet.

        An error ends the training: it could not be resumed exactly without all rows.
        """
        fresh, self._fresh = self._fresh, []  # nothing may follow a row that an error tore
        if self._columns is None:
            self._rewrite(rows_of(self.text))
        columns = self._columns or []
        if set().union(*fresh) - set(columns):
            self._rewrite(rows_of(self.text) + fresh)
        elif fresh:
            added = _text_of(fresh, columns)
            with name_errors(self.path), self.path.open("a", newline="") as file:
                file.write(added)
            self.text += added

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Write what is left."""
        del status
        if self._fresh:
            self.save()

    def _rewrite(self, rows: Sequence[Row]) -> None:
        """Write all rows under the columns that they need."""
        self._columns = columns_of(rows)
        text = table_of(rows)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_file(self.path, text)
        self.text = text


def columns_of(rows: Sequence[Row]) -> list[str]:
    """List the columns that rows need."""
    return sorted(set().union(*rows))


def table_of(rows: Sequence[Row]) -> str:
    """Write rows as the text of a CSV file."""
    columns = columns_of(rows)
    header = dict(zip(columns, columns, strict=True))
    return _text_of([header, *rows], columns)


def _text_of(rows: Sequence[Row], columns: Sequence[str]) -> str:
    text = io.StringIO(newline="")
    csv.DictWriter(text, columns).writerows(rows)
    return text.getvalue()


def rows_of(text: str) -> list[Row]:
    """Read the rows of a CSV file, of which the last may have been left in the middle."""
    return list(csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1], newline="")))


def begins_with(path: Path, text: str) -> bool:
    """Tell whether a CSV file has the rows of a text; it may have further rows and columns."""
    expected = rows_of(text)
    try:
        rows = rows_of(path.read_text()) if path.is_file() else []
    except (UnicodeDecodeError, csv.Error):
        return False
    return [*map(_filled, rows[: len(expected)])] == [*map(_filled, expected)]


def _filled(row: Row) -> Row:
    return {name: value for name, value in row.items() if value}
