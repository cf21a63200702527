"""metrics.csv: the metrics that a training logs."""

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
    """Logger that writes a row per set of metrics; a resumed training adds to the old rows.

    Lightning's CSV logger first deletes the file, and rewrites it in place for a new column: if the
    process is killed meanwhile, the rows are lost.
    """

    def __init__(self, path: Path, *, text: str = "") -> None:
        """Log to a file, which then begins with `text`; an existing file is replaced."""
        super().__init__()
        self.path = path
        self.text = text  # of the file; checkpoints contain it
        self._new_rows: list[Row] = []
        self._last: Row | None = None
        self._columns: list[str] | None = None

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Add a row, unless it is the same as the last one."""
        row = {**metrics, "step": step}
        if row == self._last:
            return
        self._last = row
        self._new_rows.append(row)
        if len(self._new_rows) >= FLUSH_EVERY:
            self.save()

    @rank_zero_only
    def save(self) -> None:
        """Write the rows that are not in the file yet.

        An error ends the training: it could not be resumed exactly without all rows.
        """
        rows, self._new_rows = self._new_rows, []  # do not append to a row that an error cut off
        if self._columns is None:
            self._rewrite(rows_of(self.text))
        columns = self._columns or []
        if set().union(*rows) - set(columns):
            self._rewrite(rows_of(self.text) + rows)
        elif rows:
            added = _text_of(rows, columns)
            with name_errors(self.path), self.path.open("a", newline="") as file:
                file.write(added)
            self.text += added

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Write the remaining rows."""
        del status
        if self._new_rows:
            self.save()

    def _rewrite(self, rows: Sequence[Row]) -> None:
        """Write the whole file, with the columns that the rows need."""
        self._columns = columns_of(rows)
        text = table_of(rows)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_file(self.path, text)
        self.text = text


def columns_of(rows: Sequence[Row]) -> list[str]:
    """Return the columns that rows need."""
    return sorted(set().union(*rows))


def table_of(rows: Sequence[Row]) -> str:
    """Return rows as the text of a CSV file."""
    columns = columns_of(rows)
    header = dict(zip(columns, columns, strict=True))
    return _text_of([header, *rows], columns)


def _text_of(rows: Sequence[Row], columns: Sequence[str]) -> str:
    text = io.StringIO(newline="")
    csv.DictWriter(text, columns).writerows(rows)
    return text.getvalue()


def rows_of(text: str) -> list[Row]:
    """Return the rows of a CSV file, without a last row that is incomplete."""
    return list(csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1], newline="")))


def begins_with(path: Path, text: str) -> bool:
    """Return whether a CSV file begins with the rows of a text; it may have further columns."""
    expected = rows_of(text)
    try:
        rows = rows_of(path.read_text()) if path.is_file() else []
    except (UnicodeDecodeError, csv.Error):
        return False
    return [*map(_filled, rows[: len(expected)])] == [*map(_filled, expected)]


def _filled(row: Row) -> Row:
    return {name: value for name, value in row.items() if value}
