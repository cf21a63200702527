"""Train an SVM on a network's features of another data set (tables 4, 5)."""

from omegaconf import DictConfig

from gapnet.cli.commands.evaluate import start_from_run
from gapnet.system.output import say


def complete(arguments: list[str]) -> list[str]:
    """Start from the groups of the run, except those that the arguments name."""
    return start_from_run(arguments, "transfer")


def task(cfg: DictConfig) -> None:
    """Train an SVM on a network's features, and print its metrics."""
    from gapnet.config.transfer_jobs import transfer_job
    from gapnet.jobs.transfer import transfer

    for line in transfer(transfer_job(cfg)):
        say(line)
