"""Fill a table of the paper, with our results beside the paper's."""

from omegaconf import DictConfig

from gapnet.config.overrides import quoted
from gapnet.errors import GapnetError
from gapnet.studies.table.arguments import split_arguments
from gapnet.system.output import say


def complete(arguments: list[str]) -> list[str]:
    """Put what the table does not take itself into a list for its commands."""
    own, passed_on = split_arguments(arguments)
    return [*own, f"passed_on=[{','.join(map(quoted, passed_on))}]"]


def task(cfg: DictConfig) -> None:
    """Fill a table, or print what this takes."""
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
