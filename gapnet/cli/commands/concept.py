"""Find and localize a concept by a phrase in captions, or by examples (figures 10, 11)."""

from omegaconf import DictConfig

from gapnet.cli.commands.evaluate import start_from_run
from gapnet.errors import GapnetError
from gapnet.system.output import say


def complete(arguments: list[str]) -> list[str]:
    """Start from the groups of the run, except those that the arguments name."""
    return start_from_run(arguments, "concept")


def task(cfg: DictConfig) -> None:
    """Train a detector, and print its metrics."""
    from gapnet.config.figure_jobs import concept_job
    from gapnet.jobs.concept import find_concept

    if cfg.get("data") is None:
        raise GapnetError("data=null: name a data set: data=captions data.root=DIR data.phrase=...")
    for line in find_concept(concept_job(cfg)):
        say(line)
