"""Write a CSV file atomically, row by row."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from gapnet.system.files import atomic_file
from gapnet.text.spreadsheet import write_rows


def write_csv_file(path: Path, header: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a header and rows; texts are safe for a spreadsheet."""
    with (
        atomic_file(path) as unfinished,
        unfinished.open("w", newline="", encoding="utf-8") as file,
    ):
        write_rows(file, [header])
        write_rows(file, rows)
