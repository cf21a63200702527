"""Train a network, evaluate it and write a report."""

from omegaconf import DictConfig


def complete(arguments: list[str]) -> list[str]:
    """Return the arguments unchanged."""
    return arguments


def task(cfg: DictConfig) -> None:
    """Train a network, then evaluate it."""
    from gapnet.cli.results import show_results
    from gapnet.config.jobs import train_job
    from gapnet.jobs import train

    show_results(train(train_job(cfg)))
