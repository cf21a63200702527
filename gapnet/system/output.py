"""Print lines and tables on the standard output."""

from pathlib import Path

from rich.table import Table

from gapnet.system.console import PlainConsole
from gapnet.system.files import name_errors
from gapnet.system.value_table import least_width
from gapnet.text.plain_text import plain
from gapnet.text.redact import redact

STDOUT = Path("<stdout>")  # may be a file on a full disk


def say(text: object) -> None:
    """Print one line of plain text, without secrets."""
    with name_errors(STDOUT):
        print(plain(redact(str(text))), flush=True)


def print_table(table: Table) -> None:
    """Print a table; its cells and titles are plain text.

    The table is as wide as the terminal, or 80 columns, and wider only if values would be cut.
    """
    console = PlainConsole()
    width = max(console.width, least_width(table, console))
    with name_errors(STDOUT):
        PlainConsole(width=width).print(table)
