"""Run the commands of a table that are not done, one after the other."""

import logging
import shlex
import time
from collections.abc import Sequence
from datetime import timedelta
from statistics import mean

from gapnet.config.overrides import config_dir_flags
from gapnet.errors import GapnetError
from gapnet.studies.table.table_command import TableCommand
from gapnet.system.child_process import call, gapnet_command
from gapnet.text.redact import redact_arguments

log = logging.getLogger(__name__)


def run_commands(commands: Sequence[TableCommand]) -> list[str]:
    """Run every command in a new process; return the commands that failed.

    A command whose training failed is left out.
    """
    failures: list[str] = []
    failed: set[TableCommand] = set()
    seconds: list[float] = []  # of the commands that ran
    for number, command in enumerate(commands, start=1):
        progress = f"table: {number} of {len(commands)}"
        if command.done:
            log.info("%s: is there: %s", progress, command.folder)
        elif command.needs in failed:
            log.info("%s: left out, since its training failed", progress)
        else:
            left = _time_left(seconds, [later.done for later in commands[number - 1 :]])
            log.info("%s%s: %s", progress, left, as_typed(command))
            start = time.monotonic()
            status = _run(command)
            seconds.append(time.monotonic() - start)
            if status or not command.done:
                failures.append(f"{as_typed(command)} (status {status})")
                log.error("failed: %s", failures[-1])
                failed.add(command)
    return failures


def _time_left(seconds: Sequence[float], done: Sequence[bool]) -> str:
    """Return the time that commands still take, if they take as long as those before.

    >>> _time_left([60, 120], [False, True, False])
    ', about 0:03:00 left'
    """
    if not seconds:
        return ""
    return f", about {timedelta(seconds=round(mean(seconds) * done.count(False)))} left"


def _run(command: TableCommand) -> int:
    """Run a command and return its exit status."""
    try:
        return call(gapnet_command(command.name, [*config_dir_flags(), *command.arguments]))
    except KeyboardInterrupt:
        raise GapnetError("interrupted; run the same command to continue") from None


def as_typed(command: TableCommand) -> str:
    """Return a command as a person types it, without secrets."""
    arguments = redact_arguments([*config_dir_flags(), *command.arguments])
    return shlex.join(["python", "-m", "gapnet", command.name, *arguments])
