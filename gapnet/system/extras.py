"""Import modules that need an optional dependency."""

from importlib import import_module
from typing import Any

from gapnet.errors import GapnetError


def load_extra(module: str, *, extra: str) -> Any:
    """Import a module of gapnet whose dependencies an extra installs, as in gapnet[search]."""
    try:
        return import_module(module)
    except ImportError as error:
        package = str(error.name).partition(".")[0]
        raise GapnetError(f"{package}: is not installed; pip install 'gapnet[{extra}]'") from error
