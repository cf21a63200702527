"""Networks by name: a function that returns a GapNet and is decorated with `register` is one."""

import difflib
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import ParamSpec

from gapnet.errors import GapnetError
from gapnet.models.gapnet import GapNet, Plain

P = ParamSpec("P")
_BUILDERS: dict[str, Callable[..., GapNet]] = {}


def register(build: Callable[P, GapNet]) -> Callable[P, GapNet]:
    """Enter a builder under its name, and have its networks remember what rebuilds them."""
    name = build.__name__
    if name in _BUILDERS:
        raise ValueError(
            f"network {name!r} is registered twice: "
            f"by {_BUILDERS[name].__module__} and {build.__module__}"
        )
    signature = inspect.signature(build)

    @functools.wraps(build)
    def built(*args: P.args, **kwargs: P.kwargs) -> GapNet:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        network = build(*args, **kwargs)
        network.name, network.arguments = name, dict(bound.arguments)
        return network

    _BUILDERS[name] = built
    return built


def names() -> list[str]:
    """List the registered networks."""
    return sorted(_BUILDERS)


def create(name: str, arguments: Mapping[str, Plain]) -> GapNet:
    """Build a registered network again from what it remembers of itself."""
    if name not in _BUILDERS:
        near = difflib.get_close_matches(name, names(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names())}"
        raise GapnetError(f"network {name!r} is not registered; {hint}")
    try:
        return _BUILDERS[name](**arguments)
    except TypeError as error:
        raise GapnetError(
            f"network {name!r} cannot be built from {dict(arguments)}: {error}"
        ) from error
