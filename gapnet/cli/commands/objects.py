"""Find the objects that the class maps of scenes mark (figure 9)."""

from omegaconf import DictConfig

from gapnet.cli.commands.evaluate import start_from_run
from gapnet.errors import GapnetError
from gapnet.system.output import say


def complete(arguments: list[str]) -> list[str]:
    """Start from the groups of the run, except those that the arguments name."""
    return start_from_run(arguments, "objects")


def task(cfg: DictConfig) -> None:
    """Rank the objects of scenes, and print them."""
    from gapnet.config.figure_jobs import objects_job
    from gapnet.jobs.objects import find_objects

    if cfg.get("data") is None:
        raise GapnetError("data=null: name a data set, such as data=ade data.root=DIR")
    for line in find_objects(objects_job(cfg)):
        say(line)
