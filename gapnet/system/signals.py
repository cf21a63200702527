"""Signals that ask a process to stop, and the status that it then ends with."""

import logging
import os
import signal
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from gapnet.system.workers import STOPPING

# SLURM sends USR1 ahead of the end of a job's time, if it is told to: that ends like SIGTERM
STATUS = {number: 128 + number for number in STOPPING} | {signal.SIGUSR1: 128 + signal.SIGTERM}
TOGETHER = 1.0  # seconds in which the same signal counts once: `timeout` sends it twice
log = logging.getLogger(__name__)
Handler = Callable[[int, FrameType | None], None]


class Stopped(SystemExit):
    """End a process that a signal asked to stop."""

    def __init__(self, number: int) -> None:
        """Take the number of the signal."""
        super().__init__(STATUS[signal.Signals(number)])
        self.signal = signal.Signals(number).name


def stop(number: int, frame: FrameType | None) -> None:
    """Stop on the spot."""
    del frame
    stopped = Stopped(number)
    log.warning("%s: stopped", stopped.signal)
    raise stopped


@contextmanager
def handled(handler: Handler) -> Iterator[None]:
    """Handle the signals that ask to stop; only the main thread can.

    A SIGHUP that is ignored, as under nohup, stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signals = [each for each in STATUS if not _is_ignored(each)]
    before = {each: signal.signal(each, _counted_once(handler)) for each in signals}
    try:
        yield
    finally:
        for each, was in before.items():
            signal.signal(each, signal.SIG_DFL if was is None else was)


def _is_ignored(number: int) -> bool:
    return number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN


def _counted_once(handler: Handler) -> Handler:
    """Call a handler once for signals that come at the same time."""
    last = -TOGETHER

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= TOGETHER:
            last = now
            if number == signal.SIGHUP:
                _leave_terminal()
            handler(number, frame)

    return handle


def _leave_terminal() -> None:
    """Write to nowhere: a write to a terminal that was closed is an error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        with suppress(OSError):  # it was closed before
            if stat.S_ISCHR(os.fstat(stream).st_mode):  # a terminal that is closed is none any more
                os.dup2(nowhere, stream)
    os.close(nowhere)
