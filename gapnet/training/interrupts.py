"""Signals that ask a process to stop, and the status that it then ends with."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

# SLURM sends USR1 ahead of the end of a job's time, if it is told to
STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGUSR1: 143}
Handler = Callable[[int, FrameType | None], None]


class Stopped(SystemExit):
    """End a process that a signal asked to stop."""

    def __init__(self, number: int) -> None:
        """Take the signal's number, or the status of a process that one has stopped."""
        super().__init__(STATUS.get(signal.Signals(number), number))
        self.signal = signal.Signals(number).name


def stop(number: int, frame: FrameType | None) -> None:
    """Stop on the spot."""
    del frame
    raise Stopped(number)


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
