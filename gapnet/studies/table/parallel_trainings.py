"""Run the trainings of a table several at a time, for a limited time."""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import TimeoutExpired

from gapnet.config.overrides import config_dir_flags
from gapnet.studies.table.table_command import TRAIN, TableCommand
from gapnet.system.child_process import gapnet_command, running

log = logging.getLogger(__name__)


def run_trainings(
    commands: Sequence[TableCommand], outputs: Path, *, parallel: int, seconds: float | None
) -> list[TableCommand]:
    """Run the trainings among commands, `parallel` at a time; return those that are not done.

    Args:
        commands: of a table; those that are no trainings, or are done, are left out.
        outputs: folder of the files with what the trainings print.
        parallel: number of trainings that run at the same time.
        seconds: after these, running trainings are interrupted, and no other one starts.
    """
    trainings = [command for command in commands if command.name == TRAIN and not command.done]
    trainings.sort(key=_seed)  # all networks with the first seed, then with the second
    outputs.mkdir(parents=True, exist_ok=True)
    deadline = None if seconds is None else time.monotonic() + seconds

    def run(training: TableCommand) -> None:
        left = None if deadline is None else deadline - time.monotonic()
        if left is None or left > 0:
            _run(training, outputs, left)

    with ThreadPoolExecutor(parallel) as pool:
        list(pool.map(run, trainings))
    return [training for training in trainings if not training.done]


def _seed(training: TableCommand) -> int:
    """Return the seed among the arguments of a training."""
    text = next(text for text in training.arguments if text.startswith("seed="))
    return int(text.removeprefix("seed="))


def _run(training: TableCommand, outputs: Path, seconds: float | None) -> None:
    """Run a training; interrupt it after `seconds`, so that it can be resumed."""
    name = f"{training.folder.parent.name}-{training.folder.name}"
    command = gapnet_command(TRAIN, [*config_dir_flags(), *training.arguments])
    begun = time.monotonic()
    with running(command, outputs / f"{name}.txt") as process:
        try:
            status = process.wait(seconds)
        except TimeoutExpired:
            log.info("%s: interrupted after %.0f s", name, time.monotonic() - begun)
            return
    took = time.monotonic() - begun
    log.info("%s: %s after %.0f s", name, "failed" if status else "trained", took)
