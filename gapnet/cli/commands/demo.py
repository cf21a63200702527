"""Show a network in a browser, and explain pictures that you drop there."""

from omegaconf import DictConfig

from gapnet.cli.commands.predict import with_published
from gapnet.system.output import say


def complete(arguments: list[str]) -> list[str]:
    """Write model=NAME as the key of a published network.

    >>> complete(["model=timm/resnet50"])
    ["published='timm/resnet50'"]
    """
    return [with_published(word) for word in arguments]


def task(cfg: DictConfig) -> None:
    """Serve the page until Ctrl-C."""
    from gapnet.config.picture_jobs import demo_job
    from gapnet.jobs.demo_job import run_demo

    run_demo(demo_job(cfg), announce=lambda address: say(f"open {address} (Ctrl-C ends the demo)"))
