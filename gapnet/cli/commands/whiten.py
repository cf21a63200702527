"""Learn PCA with whitening on features, for neighbours and retrieval."""

from omegaconf import DictConfig

from gapnet.system.output import say


def complete(arguments: list[str]) -> list[str]:
    """Return the arguments unchanged."""
    return arguments


def task(cfg: DictConfig) -> None:
    """Learn a whitening, and print where it is."""
    from gapnet.config.retrieval_jobs import whiten_job
    from gapnet.jobs.whiten import whiten

    for line in whiten(whiten_job(cfg)):
        say(line)
