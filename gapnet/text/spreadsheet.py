"""Write CSV files that are safe to open in a spreadsheet: no text runs as a formula."""

import csv
import re
from collections.abc import Iterable
from typing import TextIO

from gapnet.text.plain_text import plain

NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
FORMULA = re.compile(
    r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]"
)  # start of a formula; also full-width signs


def write_rows(file: TextIO, rows: Iterable[Iterable[object]], *, end: str = "\r\n") -> None:
    """Write rows as CSV, with every text safe for a spreadsheet."""
    csv.writer(file, lineterminator=end).writerows(map(cell, row) for row in rows)


def cell(value: object) -> object:
    """Return a value; text that a spreadsheet would run as a formula gets a ' before it.

    >>> [cell(value) for value in ("=1+1", "-2", -2.5, "cat")]
    ["'=1+1", '-2', -2.5, 'cat']
    """
    if not isinstance(value, str) or NUMBER.fullmatch(value):
        return value
    return f"'{plain(value)}" if FORMULA.match(value) else plain(value)
