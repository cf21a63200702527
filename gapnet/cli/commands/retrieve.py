"""Score the retrieval of images by their features."""

from omegaconf import DictConfig

from gapnet.cli.commands.neighbours import check_features, start_from_features
from gapnet.system.output import say


def complete(arguments: list[str]) -> list[str]:
    """Start from the data set of the features."""
    return start_from_features(arguments)


def task(cfg: DictConfig) -> None:
    """Score a retrieval, and print the metrics."""
    from gapnet.config.retrieval_jobs import retrieve_job
    from gapnet.jobs.retrieve import retrieve

    check_features(cfg)
    for line in retrieve(retrieve_job(cfg)):
        say(line)
