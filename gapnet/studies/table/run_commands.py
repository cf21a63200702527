"""Run the commands of a table that are not done, one after the other."""

import logging
import shlex
from collections.abc import Sequence

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
    for number, command in enumerate(commands, start=1):
        progress = f"{number} of {len(commands)}"
        if command.done:
            log.info("%s: is there: %s", progress, command.folder)
        elif command.needs in failed:
            log.info("%s: left out, since its training failed", progress)
        else:
            log.info("%s: %s", progress, as_typed(command))
            status = _run(command)
            if status or not command.done:
                failures.append(f"{as_typed(command)} (status {status})")
                log.error("failed: %s", failures[-1])
                failed.add(command)
    return failures


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
