"""Ranks of a job on this machine: start them, watch them, and end them together."""

import os
import signal
import socket
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from gapnet.errors import GapnetError
from gapnet.system.child_process import Process, gapnet_command, start
from gapnet.system.signals import STATUS, Stopped, handled

# Start of the error of a rank that lost its connection to the others
PEER = "another rank ended"
OUTCOME = "GAPNET_OUTCOME"  # names the file into which a rank writes its error
NUMBERS = ("RANK", "NODE_RANK", "LOCAL_RANK")  # set by torchrun, Lightning and gapnet
COUNTS = ("WORLD_SIZE", "SLURM_STEP_NUM_TASKS")
POLL = 0.1  # seconds
GRACE = 5  # seconds in which the other ranks may end by themselves


@dataclass
class Rank:
    """Process of a rank, and the file into which it writes its error."""

    number: int
    process: Process
    outcome: Path

    def failure(self) -> str | None:
        """Return why the process failed; None if it is running, succeeded or was stopped."""
        status = self.process.poll()
        if status is None or status == 0 or status in STATUS.values():
            return None
        if self.outcome.is_file():
            return self.outcome.read_text()
        end = signal.Signals(-status).name if status < 0 else f"status {status}"
        return failed_rank(self.number, end)


def is_first() -> bool:
    """Return whether this process is the first rank, which writes files and prints.

    A process without ranks, or one that starts the ranks itself, is also the first.
    """
    numbers = [os.environ[name] for name in NUMBERS if name in os.environ]
    return not any(map(int, numbers or [os.environ.get("SLURM_PROCID", "0")]))


def started_together() -> bool:
    """Return whether a launcher, such as torchrun, started this process together with others."""
    return any(int(os.environ.get(name, "1")) > 1 for name in COUNTS)


def is_rank() -> bool:
    """Return whether `run_ranks` started this process."""
    return OUTCOME in os.environ


def run_ranks(command: str, arguments: Sequence[str], *, count: int) -> None:
    """Run a gapnet command as several ranks on this machine; if one fails, all end.

    This does not use torch's elastic launcher. After a signal, that launcher kills the ranks after
    30 seconds, perhaps while they save. It does not pass on SIGUSR1. If a rank fails, it sends
    SIGTERM to the others, which then save and expect to be continued. And it always ends with a
    traceback and status 1.
    """
    with tempfile.TemporaryDirectory(prefix="gapnet-") as folder:
        environment = {
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(_free_port()),
            "WORLD_SIZE": str(count),
        }
        ranks = [
            _start(number, gapnet_command(command, arguments), environment, Path(folder))
            for number in range(count)
        ]
        try:
            _watch(ranks)
        finally:
            for rank in ranks:
                rank.process.kill()
                rank.process.wait()


def failed_rank(rank: int, end: str) -> str:
    """Return the message for a rank that wrote no error; `end` is a signal or a status.

    >>> failed_rank(1, "SIGKILL")
    'rank 1 was killed by SIGKILL, probably because memory ran out'
    """
    if not end.startswith("SIG"):
        return f"rank {rank} ended with {end}"
    cause = ", probably because memory ran out" if end == "SIGKILL" else ""
    return f"rank {rank} was killed by {end}{cause}"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("", 0))
        return int(listener.getsockname()[1])


def _start(number: int, command: list[str], environment: dict[str, str], folder: Path) -> Rank:
    outcome = folder / str(number)
    own = {"LOCAL_RANK": str(number), OUTCOME: str(outcome)}
    process = start(command, {**environment, **own})  # only this process sends it signals
    return Rank(number, process, outcome)


def _watch(ranks: Sequence[Rank]) -> None:
    """Wait until all ranks have ended; raise an error if one of them failed."""
    received: list[int] = []  # signals

    def forward(number: int, frame: FrameType | None) -> None:
        del frame
        again = number in received
        received.append(number)
        for rank in ranks:
            rank.process.send_signal(signal.SIGKILL if again else number)

    with handled(forward):
        while all(rank.process.poll() in (None, 0) for rank in ranks):
            if all(rank.process.poll() == 0 for rank in ranks):
                return
            time.sleep(POLL)
        deadline = time.monotonic() + GRACE
        while any(rank.process.poll() is None for rank in ranks) and time.monotonic() < deadline:
            time.sleep(POLL)
    _raise_failure(ranks, received)


def _raise_failure(ranks: Sequence[Rank], received: Sequence[int]) -> NoReturn:
    """Raise the error of the rank that failed first, or exit because of a signal."""
    if received and not any(rank.outcome.is_file() for rank in ranks):
        raise Stopped(received[0])
    failures = [failure for rank in ranks if (failure := rank.failure()) is not None]
    if failures:
        raise GapnetError(min(failures, key=_is_lost_connection))
    raise Stopped(signal.SIGTERM)


def _is_lost_connection(failure: str) -> bool:
    return PEER in failure
