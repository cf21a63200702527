"""Worker processes, and how they handle signals.

`timeout`, `scancel`, stopping a container and closing a terminal send a signal to every process of
a group. The main process then saves, and needs its workers until it has saved. So workers ignore
these signals, and end when the main process ends them.
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
    """Yield a pool of worker processes; the end of the block cancels work that has not started.

    The workers also end if this process is killed; those of a plain pool would wait forever.
    """
    pool = ProcessPoolExecutor(workers, initializer=_start_worker, initargs=(os.getpid(),))
    with signals_blocked():  # also for threads that libraries start in a new worker
        pool.submit(os.getpid)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def signals_blocked() -> Iterator[None]:
    """Block the signals that ask to stop; processes started in the block inherit this."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def prepare_worker(number: int = 0) -> None:
    """Make a worker ignore signals and use one thread of OpenCV; `number` is not used."""
    del number
    if "cv2" in sys.modules:  # OpenCV's threads do not survive a fork
        sys.modules["cv2"].setNumThreads(0)
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    if hasattr(signal, "sigwaitinfo"):
        Thread(target=_end_at_sigterm, args=(_main_process(),), daemon=True).start()
    else:  # macOS does not say who sent a signal
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])


def _main_process() -> int:
    """Return the id of the main process; the parent may be a fork server instead."""
    main = multiprocessing.parent_process()
    return os.getppid() if main is None or main.pid is None else main.pid


def _start_worker(main: int) -> None:
    """Make a worker end with the main process, and ignore signals."""
    parent = multiprocessing.parent_process()
    if multiprocessing.get_start_method() == "fork":
        end_with_parent(main)
    elif parent is not None:  # here a fork server is the parent
        Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()
    prepare_worker()


def _end_after(sentinel: int) -> None:
    """End this process when the main process has ended."""
    multiprocessing.connection.wait([sentinel])
    os._exit(1)


def _end_at_sigterm(main: int) -> None:
    """End when the main process sends SIGTERM, as multiprocessing does to end workers."""
    while signal.sigwaitinfo([signal.SIGTERM]).si_pid != main:
        pass
    os._exit(0)
