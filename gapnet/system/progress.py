"""Progress bars, shown only on terminals."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gapnet.system.console import PlainConsole
from gapnet.text.plain_text import plain

T = TypeVar("T")
console = PlainConsole(stderr=True)


def track(items: Iterable[T], what: str, *, total: int | None, leave: bool = True) -> Iterator[T]:
    """Yield items and show the progress.

    Args:
        items: items to yield.
        what: text next to the bar.
        total: number of items; None if it is not known.
        leave: whether the full bar stays on the screen.
    """
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    progress = Progress(
        *columns, console=console, disable=not console.is_terminal, transient=not leave
    )
    with progress:
        yield from progress.track(items, total=total, description=plain(what))
