"""Run commands of gapnet one after the other, each in a fork of a process that imported it once.

Every line of the standard input is a try: {"arguments": [...], "output": FILE, "fault": {...}}; the
answer is its status, negative where a signal killed it. A fault is what goes wrong in the try:

    {"kill_after": SECONDS}            kill -9 from outside
    {"kill_in_save": N, "at": PLACE}   kill -9 in the N-th save: while writing, syncing, keeping
                                       (previous.ckpt is new, last.ckpt is not) or renaming
    {"signal": NAME, "at": HOOK, "count": N}   a signal when a hook runs the N-th time
    {"full_in_save": N}                the disk is full in the N-th save
    {"poison": N}                      the N-th loss is NaN
"""

import errno
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytorch_lightning.callbacks  # noqa: F401  (imported once for all tries)
import tensorboard  # noqa: F401
import torch

import gapnet.cli.commands.train  # noqa: F401
from gapnet.cli.main import run
from gapnet.config import jobs  # noqa: F401
from gapnet.jobs import evaluate as evaluation  # noqa: F401
from gapnet.jobs import resume  # noqa: F401
from gapnet.training import checkpoint
from gapnet.training import loss as losses
from gapnet.training import step_watch as watch

KILLED = 9


class Count:
    """Call a function at the N-th call."""

    def __init__(self, number: int, then: Callable[[], Any]) -> None:
        self.left, self.then = number, then

    def __call__(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.then()


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def full() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def before(owner: object, name: str, count: Count) -> None:
    was = getattr(owner, name)

    def counted(*arguments: Any, **named: Any) -> Any:
        count()
        return was(*arguments, **named)

    setattr(owner, name, counted)


def break_saves(number: int, then: Callable[[], Any], at: str) -> None:
    """Make the N-th save of a checkpoint fail at a place."""
    was = checkpoint.write_file

    def broken(path: Path, content: memoryview, **named: Any) -> None:
        if at == "keeping" and path.exists():
            before(type(path), "replace", Count(2, then))
            was(path, content, **named)
        unfinished = path.with_name(f".{path.name}.unfinished")
        if at == "writing":
            unfinished.write_bytes(bytes(content[: len(content) // 2]))
        then() if at != "renaming" else None
        unfinished.write_bytes(bytes(content))
        then()

    count = Count(number, lambda: setattr(checkpoint, "write_file", broken))

    def counted(path: Path, content: memoryview, **named: Any) -> None:
        count()
        (broken if checkpoint.write_file is broken else was)(path, content, **named)

    checkpoint.write_file = counted


def poisoned(number: int) -> None:
    was, state = losses.cross_entropy, {"left": number}

    def loss(*arguments: Any, **named: Any) -> torch.Tensor:
        state["left"] -= "reduction" not in named  # as in validation
        return was(*arguments, **named) * (float("nan") if state["left"] == 0 else 1.0)

    losses.cross_entropy = loss


def arrange(fault: dict[str, Any]) -> None:
    if "kill_in_save" in fault:
        break_saves(fault["kill_in_save"], kill, fault["at"])
    if "full_in_save" in fault:
        break_saves(fault["full_in_save"], full, "writing")
    if "signal" in fault:
        number = signal.Signals[fault["signal"]]
        count = Count(fault["count"], lambda: os.kill(os.getpid(), number))
        before(watch.Watch, fault["at"], count)
    if "poison" in fault:
        poisoned(fault["poison"])


def child(settings: dict[str, Any]) -> None:
    output = os.open(settings["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.setsid()
    arrange(settings.get("fault", {}))
    sys.argv = ["train.py", *settings["arguments"]]
    status = 0
    try:
        run("train")
    except SystemExit as end:
        status = int(end.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def attempt(settings: dict[str, Any]) -> int:
    pid = os.fork()
    if pid == 0:
        child(settings)
    after = settings.get("fault", {}).get("kill_after")
    if after is not None:
        time.sleep(after)
        os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    torch.set_num_threads(1)
    for line in sys.stdin:
        sys.stdout.write(f"{attempt(json.loads(line))}\n")
        sys.stdout.flush()
