"""Compute a table of the paper, next to its published numbers."""

from omegaconf import DictConfig

from gapnet.config.overrides import quoted
from gapnet.errors import GapnetError
from gapnet.studies.table.arguments import split_arguments
from gapnet.system.output import say


def complete(arguments: list[str]) -> list[str]:
    """Move arguments that are not keys of the table into the list `passed_on`, for its commands."""
    own, passed_on = split_arguments(arguments)
    return [*own, f"passed_on=[{','.join(map(quoted, passed_on))}]"]


def task(cfg: DictConfig) -> None:
    """Fill a table, or print the commands that this needs."""
    from gapnet.studies.table.fill import describe_commands, fill_table

    if cfg.dry_run:
        for line in describe_commands(cfg):
            say(line)
        return
    filled = fill_table(cfg)
    for line in filled.lines:
        say(line)
    if filled.error is not None:
        raise GapnetError(filled.error)
