"""Write a map of a data set by its features, with PCA and t-SNE."""

from omegaconf import DictConfig

from gapnet.cli.commands.neighbours import check_features, start_from_features
from gapnet.system.output import say


def complete(arguments: list[str]) -> list[str]:
    """Start from the data set of the features."""
    return start_from_features(arguments)


def task(cfg: DictConfig) -> None:
    """Write a map, and print where."""
    from gapnet.config.retrieval_jobs import embed_job
    from gapnet.jobs.embed import embed

    check_features(cfg)
    for line in embed(embed_job(cfg)):
        say(line)
