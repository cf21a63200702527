"""CSV that people open in a spreadsheet: no text in it runs as a formula."""

import csv
import re
from collections.abc import Iterable
from typing import TextIO

from gapnet.text.plain_text import plain

NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")  # how one begins, wide = too


def write_rows(file: TextIO, rows: Iterable[Iterable[object]], *, end: str = "\r\n") -> None:
    """Write rows as CSV for people."""
    csv.writer(file, lineterminator=end).writerows(map(cell, row) for row in rows)


def cell(value: object) -> object:
    """Put ' before a text that a spreadsheet would run as a formula; numbers stay numbers.

    >>> [cell(each) for each in ("=1+1", "-2", -2.5, "cat")]
    ["'=1+1", '-2', -2.5, 'cat']
    """
    if not isinstance(value, str) or NUMBER.fullmatch(value):
        return value
    return f"'{plain(value)}" if FORMULA.match(value) else plain(value)
