"""The processes of a job on this machine: started, watched, and ended together."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from gapnet.cli.child import bound
from gapnet.cli.error_hints import PEER, died
from gapnet.errors import GapnetError
from gapnet.system.signals import STATUS, Stopped, handled

if TYPE_CHECKING:
    import pytorch_lightning as pl

OUTCOME = "GAPNET_OUTCOME"  # names the file in which a rank leaves its error
NUMBERS = ("RANK", "NODE_RANK", "LOCAL_RANK")  # as torchrun, Lightning and gapnet number them
COUNTS = ("WORLD_SIZE", "SLURM_STEP_NUM_TASKS")
POLL = 0.1  # seconds
GRACE = 5  # seconds that the other ranks have to end by themselves


@dataclass
class Rank:
    """Hold one of the processes, and where it leaves what went wrong."""

    number: int
    process: "subprocess.Popen[bytes]"
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
    """Tell whether this process is one of those that `run` started."""
    return OUTCOME in os.environ


def are_missing(trainer: "pl.Trainer") -> bool:
    """Tell whether a trainer wants several processes that nobody has started."""
    from pytorch_lightning.strategies.launchers import _SubprocessScriptLauncher

    launcher = trainer.strategy.launcher
    return (
        isinstance(launcher, _SubprocessScriptLauncher)
        and not launcher.cluster_environment.creates_processes_externally
    )


def are_spawned(trainer: "pl.Trainer") -> bool:
    """Tell whether a trainer spawns its processes."""
    from pytorch_lightning.strategies.launchers import _MultiProcessingLauncher

    return isinstance(trainer.strategy.launcher, _MultiProcessingLauncher)


def run(command: str, arguments: Sequence[str], trainer: "pl.Trainer") -> None:
    """Run a command in as many processes as a trainer wants on this machine.

    Lightning would start all but the first itself, by the command line, and does not know ours;
    nor would it say who was the first to die, and of what.
    """
    if trainer.num_nodes > 1:
        raise GapnetError(
            f"trainer.num_nodes={trainer.num_nodes}: start it with torchrun or srun on each of the "
            "machines, by which their processes find each other; on this one alone: "
            "trainer.num_nodes=1"
        )
    with tempfile.TemporaryDirectory(prefix="gapnet-") as place:
        together = {
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(_free_port()),
            "WORLD_SIZE": str(trainer.num_devices),
        }
        ranks = [
            _start(number, bound(command, arguments), together, Path(place))
            for number in range(trainer.num_devices)
        ]
        try:
            _watch(ranks)
        finally:
            for rank in ranks:
                rank.process.kill()
                rank.process.wait()


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("", 0))
        return int(tried.getsockname()[1])


def _start(number: int, command: list[str], together: dict[str, str], place: Path) -> Rank:
    outcome = place / str(number)
    own = {"LOCAL_RANK": str(number), OUTCOME: str(outcome)}
    process = subprocess.Popen(
        command,
        env={**os.environ, **together, **own},
        start_new_session=True,  # signals reach it through this process, once
    )
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


def run_spawned(trainer: "pl.Trainer", fit: Callable[[], None]) -> None:
    """Train in processes that Lightning spawns; signals reach them through this one."""
    from torch.multiprocessing.spawn import ProcessExitedException

    asked: list[int] = []

    def forward(number: int, frame: FrameType | None) -> None:
        del frame
        asked.append(number)
        if trainer.strategy.launcher is not None:
            trainer.strategy.launcher.kill(number)

    with handled(forward):
        try:
            fit()
        except ProcessExitedException as error:
            if asked:
                raise Stopped(asked[0]) from error
            raise


def _is_of_another(failure: str) -> bool:
    return PEER in failure
