"""Progress bars on terminals; elsewhere, a line a minute."""

import io
import logging
import os
import sys
from collections.abc import Iterable, Iterator
from time import monotonic
from typing import Any, TextIO, TypeVar

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


class AboveBar(io.TextIOBase):
    """Stream that prints log lines above the bar that is shown; only the terminal breaks them.

    In a forked process, whose copy of the console may be locked, it writes to the stream before it.
    """

    def __init__(self, before: TextIO) -> None:
        """Take the place of a stream."""
        super().__init__()
        self.before, self.process = before, os.getpid()

    def write(self, text: str) -> int:
        """Print text that ends with the end of a line."""
        if os.getpid() != self.process:
            return self.before.write(text)
        console.print(Text(text.removesuffix("\n")), soft_wrap=True)
        return len(text)


class Bar(Progress):
    """Rich's progress bar on one line; while it is shown, log lines are printed above it."""

    def __init__(self, *columns: ProgressColumn, stays: bool) -> None:
        """Prepare a bar; `stays` is whether it stays on the screen at the end.

        Rich would also replace sys.stderr, and a forked worker that warns could then wait forever.
        """
        super().__init__(
            *columns,
            console=console,
            transient=not stays,
            expand=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._streams: dict[logging.StreamHandler[Any], Any] = {}  # what handlers wrote to before

    def start(self) -> None:
        """Show the bar."""
        super().start()
        for handler in logging.getLogger().handlers:
            if type(handler) is logging.StreamHandler and handler.stream is sys.stderr:
                self._streams[handler] = handler.setStream(AboveBar(handler.stream))

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
    with Bar(*columns, stays=leave) as progress:
        yield from progress.track(items, total=total, description=plain(what))


def _with_lines(items: Iterable[T], what: str, total: int | None) -> Iterator[T]:
    logged = monotonic()
    for done, item in enumerate(items):
        if monotonic() - logged >= LOG_EVERY:
            log.info("%s: %d%s", what, done, "" if total is None else f" of {total}")
            logged = monotonic()
        yield item
