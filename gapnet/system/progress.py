"""Progress of long work: a bar where someone watches, silence where the output is a file."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gapnet.system.console import PlainConsole
from gapnet.text.plain_text import plain

T = TypeVar("T")
console = PlainConsole(stderr=True)


def track(items: Iterable[T], what: str, *, total: int, leave: bool = True) -> Iterator[T]:
    """Pass `items` on, showing how many of `total` have come by; `leave` leaves the full bar."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    shown = Progress(
        *columns, console=console, disable=not console.is_terminal, transient=not leave
    )
    with shown as progress:
        yield from progress.track(items, total=total, description=plain(what))
