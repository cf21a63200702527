"""Train, evaluate and explain class-activation-map networks."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gapnet.models.gapify import gapify
    from gapnet.models.saved import load

__all__ = ["gapify", "load"]
__version__ = "0.1.0"

_MODULES = {"gapify": "gapnet.models.gapify", "load": "gapnet.models.saved"}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the command line starts without torch."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
