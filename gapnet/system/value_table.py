"""Tables of values for the console: only the text of the first column wraps; values are not cut."""

from collections.abc import Sequence

from rich.console import Console
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

LEAST = 8  # characters for text that wraps; on a narrower screen the terminal breaks the lines
PADDING = 2  # characters: a space on each side of a cell


def value_table(title: str, headings: Sequence[str]) -> Table:
    """Return an empty table whose first column is text and whose others are values.

    Headings may have several lines.
    """
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        caption_justify="left",
        caption_style="",
    )
    text, *values = map(Text, headings)
    table.add_column(text, overflow="fold")
    for heading in values:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def least_width(table: Table, console: Console) -> int:
    """Return the width below which columns that do not wrap would be cut."""
    widths = [_least_width(column, console) for column in table.columns]
    return sum(widths) + PADDING * len(widths) + len(widths) + 1


def _least_width(column: Column, console: Console) -> int:
    options = console.options.update(width=10_000)
    cells = [column.header, *column.cells]
    width = max(Measurement.get(console, options, cell).maximum for cell in cells)
    return width if column.no_wrap else min(width, LEAST)
