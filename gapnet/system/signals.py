"""Signals that ask a process to stop, and its exit status after them."""

import logging
import os
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from gapnet.system.workers import STOPPING

# SLURM can send SIGUSR1 shortly before a job's time limit: it counts as SIGTERM
STATUS = {number: 128 + number for number in STOPPING} | {signal.SIGUSR1: 128 + signal.SIGTERM}
DEBOUNCE = 1.0  # seconds in which a repeated signal counts once: `timeout` sends it twice
log = logging.getLogger(__name__)
Handler = Callable[[int, FrameType | None], None]


class Stopped(SystemExit):
    """Exit because of a signal."""

    def __init__(self, number: int) -> None:
        """Set the exit status for the number of the signal."""
        super().__init__(STATUS[signal.Signals(number)])
        self.signal = signal.Signals(number).name


def raise_stopped(number: int, frame: FrameType | None) -> None:
    """Exit at once; the simplest handler of a signal."""
    del frame
    stopped = Stopped(number)
    log.warning("%s: stopped", stopped.signal)
    raise stopped


def end_interrupted(command: str) -> NoReturn:
    """Exit with one line after Ctrl-C, while the command does not handle signals yet."""
    logging.disable()  # some libraries log at exit
    sys.stderr.write(f"gapnet {command}: SIGINT: stopped\n")
    raise Stopped(signal.SIGINT)


@contextmanager
def handled(handler: Handler) -> Iterator[None]:
    """Handle the signals that ask to stop during the block; does nothing outside the main thread.

    A SIGHUP that is ignored, as under nohup, stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [number for number in STATUS if not _is_ignored(number)]
    before = {number: signal.signal(number, _counted_once(handler)) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, signal.SIG_DFL if old is None else old)


def _is_ignored(number: int) -> bool:
    return number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN


def _counted_once(handler: Handler) -> Handler:
    """Return a handler that ignores signals within a second after the last one."""
    last = -DEBOUNCE

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= DEBOUNCE:
            last = now
            if number == signal.SIGHUP:
                _leave_terminal()
            handler(number, frame)

    return handle


def _leave_terminal() -> None:
    """Discard output to a closed terminal: writing to it would be an error."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        with suppress(OSError):  # the stream is closed
            if stat.S_ISCHR(os.fstat(stream).st_mode):  # isatty is false once it is closed
                os.dup2(devnull, stream)
    os.close(devnull)
