"""What a command shows on its standard output."""

from pathlib import Path
from typing import TYPE_CHECKING

from gapnet.system.files import name_errors
from gapnet.text.plain_text import plain
from gapnet.text.redact import redact

if TYPE_CHECKING:
    from rich.table import Table

STDOUT = Path("<stdout>")  # may be a file on a full disk


def say(text: object) -> None:
    """Print one line of plain text, without secrets."""
    with name_errors(STDOUT):
        print(plain(redact(str(text))), flush=True)


def show(table: "Table") -> None:
    """Print a table; its cells and titles are plain text."""
    from gapnet.report.tables import TABLE_WIDTH
    from gapnet.system.console import PlainConsole

    width = None if PlainConsole().is_terminal else TABLE_WIDTH
    with name_errors(STDOUT):
        PlainConsole(width=width).print(table)
