"""Train, evaluate and explain class-activation-map networks."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gapnet.version import __version__

if TYPE_CHECKING:
    from gapnet.explanations.explain import explain
    from gapnet.jobs.evaluate import evaluate
    from gapnet.jobs.train import train
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

_MODULES = {
    "adopt": "gapnet.models.adoption.adopt",
    "create_model": "gapnet.models.catalogue",
    "evaluate": "gapnet.jobs.evaluate",
    "explain": "gapnet.explanations.explain",
    "gapify": "gapnet.models.gapify",
    "list_models": "gapnet.models.catalogue",
    "load": "gapnet.models.saved",
    "published": "gapnet.models.catalogue",
    "train": "gapnet.jobs.train",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the command line starts without torch."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    """List the public names, also those that are not imported yet."""
    return sorted(__all__)
