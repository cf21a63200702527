"""Progress bars on terminals; elsewhere, a line a minute."""

import logging
import sys
from collections.abc import Iterable, Iterator
from time import monotonic
from typing import Any, TypeVar

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

LOG_EVERY = 60.0  # seconds
T = TypeVar("T")
log = logging.getLogger(__name__)
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


class Bar(Progress):
    """Rich's progress bar; while it is shown, log lines are printed above it."""

    _streams: dict[logging.StreamHandler[Any], Any]  # what log handlers wrote to before

    def start(self) -> None:
        """Show the bar, which replaces sys.stderr, and let handlers write to the replacement."""
        before = sys.stderr
        super().start()
        handlers = [h for h in logging.getLogger().handlers if type(h) is logging.StreamHandler]
        self._streams = {h: h.setStream(sys.stderr) for h in handlers if h.stream is before}

    def stop(self) -> None:
        """Leave the bar, and let handlers write to where they wrote before."""
        for handler, stream in self._streams.items():
            handler.setStream(stream)
        self._streams = {}
        super().stop()


def track(
    items: Iterable[T],
    what: str,
    *,
    total: int | None,
    leave: bool = True,
    unit: str | None = None,
) -> Iterator[T]:
    """Yield items and show the progress: a bar on a terminal, else a line a minute.

    Args:
        items: items to yield.
        what: text next to the bar.
        total: number of items; None if it is not known.
        leave: whether the full bar stays on the screen.
        unit: name of the items; the bar then shows how many of them are done a second.
    """
    if console.is_terminal:
        yield from _with_bar(items, what, total=total, leave=leave, unit=unit)
    else:
        yield from _with_lines(items, what, total)


def _with_bar(
    items: Iterable[T], what: str, *, total: int | None, leave: bool, unit: str | None
) -> Iterator[T]:
    columns: tuple[ProgressColumn, ...] = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        *([SpeedColumn(unit)] if unit else []),
    )
    with Bar(*columns, console=console, transient=not leave, expand=True) as progress:
        yield from progress.track(items, total=total, description=plain(what))


def _with_lines(items: Iterable[T], what: str, total: int | None) -> Iterator[T]:
    logged = monotonic()
    for done, item in enumerate(items):
        if monotonic() - logged >= LOG_EVERY:
            log.info("%s: %d%s", what, done, "" if total is None else f" of {total}")
            logged = monotonic()
        yield item
