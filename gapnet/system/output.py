"""Print lines and tables on the standard output."""

from pathlib import Path

from rich.table import Table

from gapnet.system.console import PlainConsole
from gapnet.system.files import name_errors
from gapnet.text.plain_text import plain
from gapnet.text.redact import redact

STDOUT = Path("<stdout>")  # may be a file on a full disk
TABLE_WIDTH = 120  # columns, if the output is not a terminal


def say(text: object) -> None:
    """Print one line of plain text, without secrets."""
    with name_errors(STDOUT):
        print(plain(redact(str(text))), flush=True)


def print_table(table: Table) -> None:
    """Print a table; its cells and titles are plain text."""
    width = None if PlainConsole().is_terminal else TABLE_WIDTH
    with name_errors(STDOUT):
        PlainConsole(width=width).print(table)
