"""The processes of a job on this machine: started, watched, and ended together."""

import os
import signal
import socket
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from gapnet.errors import GapnetError
from gapnet.system.child_process import Process, gapnet_command, start
from gapnet.system.signals import STATUS, Stopped, handled

PEER = "another process of the training is gone"  # begins what a rank says that lost the others
OUTCOME = "GAPNET_OUTCOME"  # names the file in which a rank leaves its error
NUMBERS = ("RANK", "NODE_RANK", "LOCAL_RANK")  # as torchrun, Lightning and gapnet number them
COUNTS = ("WORLD_SIZE", "SLURM_STEP_NUM_TASKS")
POLL = 0.1  # seconds
GRACE = 5  # seconds that the other ranks have to end by themselves


@dataclass
class Rank:
    """Hold one of the processes, and where it leaves what went wrong."""

    number: int
    process: Process
    outcome: Path

    def failure(self) -> str | None:
        """Say what it died of; None if it lives, did its work or was stopped."""
        status = self.process.poll()
        if status is None or status == 0 or status in STATUS.values():
            return None
        if self.outcome.is_file():
            return self.outcome.read_text()
        by = signal.Signals(-status).name if status < 0 else f"status {status}"
        return died(self.number, by)


def is_first() -> bool:
    """Tell whether this process is the one that writes and speaks.

    A process that was started alone, to start the others itself, is first as well.
    """
    told = [os.environ[name] for name in NUMBERS if name in os.environ]
    return not any(map(int, told or [os.environ.get("SLURM_PROCID", "0")]))


def started_together() -> bool:
    """Tell whether this process was started together with others, by torchrun or the like."""
    return any(int(os.environ.get(name, "1")) > 1 for name in COUNTS)


def is_rank() -> bool:
    """Tell whether this process was started by `run_ranks`."""
    return OUTCOME in os.environ


def run_ranks(command: str, arguments: Sequence[str], *, count: int) -> None:
    """Run a gapnet command in several processes on this machine; if one fails, all end.

    torch's elastic launcher would break promises of gapnet: after a signal it kills the ranks in 30
    seconds, perhaps while they save; it does not pass SIGUSR1 on; if a rank fails it sends the
    others SIGTERM, which asks them to save and continue later; and it ends with a traceback and
    status 1, whatever the ranks ended with.
    """
    with tempfile.TemporaryDirectory(prefix="gapnet-") as place:
        together = {
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(_free_port()),
            "WORLD_SIZE": str(count),
        }
        ranks = [
            _start(number, gapnet_command(command, arguments), together, Path(place))
            for number in range(count)
        ]
        try:
            _watch(ranks)
        finally:
            for rank in ranks:
                rank.process.kill()
                rank.process.wait()


def died(rank: int, by: str) -> str:
    """Describe the end of a process that left no error."""
    if not by.startswith("SIG"):
        return f"rank {rank} ended with {by}"
    memory = ", as the kernel does where memory runs out" if by == "SIGKILL" else ""
    return f"rank {rank} was killed by {by}{memory}"


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("", 0))
        return int(tried.getsockname()[1])


def _start(number: int, command: list[str], together: dict[str, str], place: Path) -> Rank:
    outcome = place / str(number)
    own = {"LOCAL_RANK": str(number), OUTCOME: str(outcome)}
    process = start(command, {**together, **own})  # signals reach it through this process, once
    return Rank(number, process, outcome)


def _watch(ranks: Sequence[Rank]) -> None:
    """Wait until all have ended; say why if one ended before its time."""
    asked: list[int] = []

    def forward(number: int, frame: FrameType | None) -> None:
        del frame
        again = number in asked
        asked.append(number)
        for rank in ranks:
            rank.process.send_signal(signal.SIGKILL if again else number)

    with handled(forward):
        while all(each.process.poll() in (None, 0) for each in ranks):
            if all(each.process.poll() == 0 for each in ranks):
                return
            time.sleep(POLL)
        deadline = time.monotonic() + GRACE
        while any(each.process.poll() is None for each in ranks) and time.monotonic() < deadline:
            time.sleep(POLL)
    _tell(ranks, asked)


def _tell(ranks: Sequence[Rank], asked: Sequence[int]) -> None:
    if asked and not any(each.outcome.is_file() for each in ranks):
        raise Stopped(asked[0])
    failures = sorted(filter(None, (each.failure() for each in ranks)), key=_is_of_another)
    if failures:
        raise GapnetError(failures[0])
    raise Stopped(signal.SIGTERM)


def _is_of_another(failure: str) -> bool:
    return PEER in failure
