"""Signals that ask a process to stop, and the status that it then ends with."""

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

# SLURM sends USR1 ahead of the end of a job's time, if it is told to
STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGUSR1: 143}
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
    """Have signals handled, in the main thread, which alone can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, handler) for each in STATUS}
    try:
        yield
    finally:
        for each, was in before.items():
            signal.signal(each, signal.SIG_DFL if was is None else was)
