"""Worker processes that read, draw or compute for one main process, and the signals they get.

`timeout`, `scancel`, the stop of a container and a closing terminal send a signal to every process
of a group. The main process then saves, for which it still needs its workers: so they ignore what
asks a job to stop, and end when the main process ends them.
"""

import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from threading import Thread

from gapnet.system.child_process import end_with_parent

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP)


@contextmanager
def worker_pool(workers: int | None = None) -> Iterator[ProcessPoolExecutor]:
    """Give a pool of worker processes; what has not begun at the end is not done any more.

    The workers end with this process, however that ends: Python's own would wait for work for ever.
    """
    pool = ProcessPoolExecutor(workers, initializer=_begin, initargs=(os.getpid(),))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def signals_blocked() -> Iterator[None]:
    """Block what asks to stop, so that processes started meanwhile have it blocked from birth."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def prepare_worker(number: int = 0) -> None:
    """Leave signals to the main process, and images to one thread of OpenCV."""
    del number
    if "cv2" in sys.modules:  # its pool of threads does not survive a fork
        sys.modules["cv2"].setNumThreads(0)
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    if hasattr(signal, "sigwaitinfo"):
        Thread(target=_end_when_told, args=(_main(),), daemon=True).start()
    else:  # macOS does not tell who sent a signal
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])


def _main() -> int:
    """Give the number of the main process, which need not be the parent: that may be a server."""
    main = multiprocessing.parent_process()
    return os.getppid() if main is None or main.pid is None else main.pid


def _begin(main: int) -> None:
    parent = multiprocessing.parent_process()
    if multiprocessing.get_start_method() == "fork":
        end_with_parent(main)
    elif parent is not None:  # the main process is not the parent: a server started this one
        Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()
    prepare_worker()


def _end_after(sentinel: int) -> None:
    """End when the main process is gone."""
    multiprocessing.connection.wait([sentinel])
    os._exit(1)


def _end_when_told(main: int) -> None:
    """End when the main process sends SIGTERM, as multiprocessing does to end workers."""
    while signal.sigwaitinfo([signal.SIGTERM]).si_pid != main:
        pass
    os._exit(0)
