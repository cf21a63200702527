"""Write the features of a data set at any layer of a network."""

from omegaconf import DictConfig

from gapnet.cli.commands.evaluate import start_from_run
from gapnet.system.output import say


def complete(arguments: list[str]) -> list[str]:
    """Start from the groups of the run, except those that the arguments name."""
    return start_from_run(arguments, "features")


def task(cfg: DictConfig) -> None:
    """Write features, and print where."""
    from gapnet.config.transfer_jobs import features_job
    from gapnet.jobs.features import features

    for line in features(features_job(cfg)):
        say(line)
