"""Train an SVM on a network's features of whole images or crops (table 4)."""

from omegaconf import DictConfig

from gapnet.cli.commands.evaluate import start_from_run
from gapnet.system.output import say


def complete(arguments: list[str]) -> list[str]:
    """Start from the groups of the run, except those that the arguments name."""
    return start_from_run(arguments, "transfer")


def task(cfg: DictConfig) -> None:
    """Transfer a network's features, and print how good they are."""
    from gapnet.config.transfer_jobs import transfer_job
    from gapnet.jobs.transfer import transfer

    for line in transfer(transfer_job(cfg)):
        say(line)
