"""Train, evaluate and explain class-activation-map networks."""

from typing import TYPE_CHECKING

from gapnet.system.lazy_names import LazyNames
from gapnet.version import __version__

if TYPE_CHECKING:
    from gapnet.explanations.explain import explain
    from gapnet.jobs.evaluate_job import evaluate
    from gapnet.jobs.train_job import train
    from gapnet.models.adoption.adopt import adopt
    from gapnet.models.catalogue import create_model, list_models, published
    from gapnet.models.gapify import gapify
    from gapnet.models.saved import load

__all__ = [
    "__version__",
    "adopt",
    "create_model",
    "evaluate",
    "explain",
    "gapify",
    "list_models",
    "load",
    "published",
    "train",
]

# Imported when they are first used: the command line starts without torch
__getattr__ = LazyNames(
    __name__,
    {
        "adopt": "gapnet.models.adoption.adopt",
        "create_model": "gapnet.models.catalogue",
        "evaluate": "gapnet.jobs.evaluate_job",
        "explain": "gapnet.explanations.explain",
        "gapify": "gapnet.models.gapify",
        "list_models": "gapnet.models.catalogue",
        "load": "gapnet.models.saved",
        "published": "gapnet.models.catalogue",
        "train": "gapnet.jobs.train_job",
    },
)


def __dir__() -> list[str]:
    """List the public names, also those that are not imported yet."""
    return sorted(__all__)
