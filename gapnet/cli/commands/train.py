"""Train a network, evaluate it and write a report."""

from omegaconf import DictConfig


def complete(arguments: list[str]) -> list[str]:
    """Leave the arguments as they are."""
    return arguments


def task(cfg: DictConfig) -> None:
    """Train, then evaluate what was trained."""
    from gapnet.cli.results import show_results
    from gapnet.config.jobs import train_job
    from gapnet.jobs import train

    show_results(train(train_job(cfg)))
