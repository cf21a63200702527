"""Public names of a package that are imported when they are first used."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class LazyNames:
    """The `__getattr__` of a package, which imports a name from the module that defines it.

    Args:
        package: full name of the package.
        homes: names and the modules that define them; no submodule may have such a name.

    >>> LazyNames("gapnet", {"sqrt": "math"})("sqrt")(4)
    2.0
    """

    package: str
    homes: Mapping[str, str]

    def __call__(self, name: str) -> Any:
        """Import a name, and keep it in the package."""
        if name not in self.homes:
            raise AttributeError(f"module {self.package!r} has no attribute {name!r}")
        value = getattr(import_module(self.homes[name]), name)
        setattr(sys.modules[self.package], name, value)
        return value
