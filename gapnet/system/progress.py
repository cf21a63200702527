"""Progress bars, shown only on terminals."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from gapnet.system.console import PlainConsole
from gapnet.text.plain_text import plain

T = TypeVar("T")
console = PlainConsole(stderr=True)


class SpeedColumn(ProgressColumn):
    """How many items a second are done."""

    def __init__(self, unit: str) -> None:
        """Name the items, such as pictures."""
        super().__init__()
        self.unit = unit

    def render(self, task: Task) -> Text:
        """Return the speed; nothing before it is known."""
        return Text(f"{task.speed:.1f} {self.unit}/s" if task.speed else "")


def track(
    items: Iterable[T],
    what: str,
    *,
    total: int | None,
    leave: bool = True,
    unit: str | None = None,
) -> Iterator[T]:
    """Yield items and show the progress.

    Args:
        items: items to yield.
        what: text next to the bar.
        total: number of items; None if it is not known.
        leave: whether the full bar stays on the screen.
        unit: name of the items; the bar then shows how many of them are done a second.
    """
    columns: tuple[ProgressColumn, ...] = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        *([SpeedColumn(unit)] if unit else []),
    )
    progress = Progress(
        *columns, console=console, disable=not console.is_terminal, transient=not leave
    )
    with progress:
        yield from progress.track(items, total=total, description=plain(what))
