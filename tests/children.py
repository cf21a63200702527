"""Work that child processes do, killed in the midst of it or side by side."""

import fcntl
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

STEPS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink"}
LOCKS = {"fcntl.flock", "fcntl.lockf"}
FORK = multiprocessing.get_context("fork")


def killed_at_each_step(work: Callable[[int], object], below: Path) -> Iterator[int]:
    """Work in children of which each is killed a step later, until one ends by itself.

    A step is a lock, or something done to a file below a folder; the work is told its number.
    """
    for step in count():
        status = _status_of(partial(work, step), step, str(below))
        if status != -signal.SIGKILL:
            assert status == 0
            return
        yield step


def _status_of(work: Callable[[], object], step: int, below: str) -> int:
    pid = os.fork()
    if pid == 0:
        _kill_before(step, below)
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _kill_before(step: int, below: str) -> None:
    steps = count()

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        own = event in STEPS and str(arguments[0]).startswith(below)
        if (own or event in LOCKS) and next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def at_once(work: Callable[[], object], times: int = 2) -> list[str]:
    """Work in several children at the same time; list their errors, or "" where there is none."""
    begin, end, outcomes = FORK.Barrier(times), FORK.Barrier(times), FORK.SimpleQueue()

    def child() -> None:
        begin.wait()
        try:
            work()
            outcomes.put("")
        except Exception as error:
            outcomes.put(str(error) or repr(error))
        end.wait()

    children = [FORK.Process(target=child) for _ in range(times)]
    for each in children:
        each.start()
    told = [outcomes.get() for _ in children]
    for each in children:
        each.join()
    return sorted(told)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Have a child hold the lock of a file."""
    locked, end = FORK.Event(), FORK.Event()

    def hold() -> None:
        with path.open("a") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            locked.set()
            end.wait()

    child = FORK.Process(target=hold)
    child.start()
    locked.wait()
    try:
        yield
    finally:
        end.set()
        child.join()
