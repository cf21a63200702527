"""Train a linear SVM on features, and score it."""

from omegaconf import DictConfig

from gapnet.errors import GapnetError
from gapnet.system.output import say


def complete(arguments: list[str]) -> list[str]:
    """Return the arguments unchanged."""
    return arguments


def task(cfg: DictConfig) -> None:
    """Train an SVM, and print its metrics."""
    from gapnet.config.transfer_jobs import svm_job
    from gapnet.jobs.svm import train_svm

    if cfg.features is None:
        raise GapnetError("features=null: name a folder that gapnet features has written")
    for line in train_svm(svm_job(cfg)):
        say(line)
