"""Run the commands of a table several at a time, perhaps for a limited time."""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gapnet.config.overrides import config_dir_flags
from gapnet.studies.table.table_command import TRAIN, TableCommand
from gapnet.system.child_process import gapnet_command, run_for

log = logging.getLogger(__name__)
SEED = "seed="


def run_together(
    commands: Sequence[TableCommand], outputs: Path, *, parallel: int, seconds: float | None
) -> list[TableCommand]:
    """Run first the trainings of a table, then its other commands; return those that are not done.

    Args:
        commands: of a table; those that are done, or whose training failed, are left out.
        outputs: folder of the files with what the commands print.
        parallel: number of commands that run at the same time.
        seconds: after these, running commands are interrupted, and no other one starts.
    """
    outputs.mkdir(parents=True, exist_ok=True)
    deadline = None if seconds is None else time.monotonic() + seconds

    def run(command: TableCommand) -> None:
        left = None if deadline is None else deadline - time.monotonic()
        if (left is None or left > 0) and (command.needs is None or command.needs.done):
            _run(command, outputs, left)

    trainings = sorted((command for command in commands if command.name == TRAIN), key=_seed)
    others = [command for command in commands if command.name != TRAIN]
    with ThreadPoolExecutor(parallel) as pool:
        for stage in (trainings, others):
            list(pool.map(run, [command for command in stage if not command.done]))
    return [command for command in commands if not command.done]


def _seed(training: TableCommand) -> int:
    """Return the seed among the arguments of a training."""
    texts = (text for text in training.arguments if text.startswith(SEED))
    return int(next(texts).removeprefix(SEED))


def _run(command: TableCommand, outputs: Path, seconds: float | None) -> None:
    """Run a command; interrupt it after `seconds`, so that it can be continued."""
    name = "-".join(command.folder.parts[-4:] if command.needs else command.folder.parts[-2:])
    begun = time.monotonic()
    line = gapnet_command(command.name, [*config_dir_flags(), *command.arguments])
    status = run_for(line, outputs / f"{name}.txt", seconds)
    end = {0: "done", None: "interrupted"}.get(status, "failed")
    log.info("%s: %s after %.0f s", name, end, time.monotonic() - begun)
