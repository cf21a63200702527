"""The registry of networks: functions that return a GapNet, decorated with `register`."""

import difflib
import functools
import inspect
from collections.abc import Mapping
from pathlib import Path

from gapnet.errors import GapnetError
from gapnet.models.builders import BUILDERS, Builder
from gapnet.models.gapnet import GapNet, Plain
from gapnet.models.surgery import RGB
from gapnet.models.thin import thin as leave_fewer_units
from gapnet.models.weights.load import take_file, take_published
from gapnet.system.value_checks import one_of


def _every_network(
    *,
    in_channels: int = RGB,
    thin: int = 1,
    pretrained: bool = False,
    weights: str | None = None,
    reset_head: bool = False,
) -> None:
    """Declare the arguments of every network, in addition to those of its builder.

    Args:
        in_channels: 3, or 1 for grey images.
        thin: divisor of the number of units of every layer.
        pretrained: start from the published weights of the trunk.
        weights: start from this file or folder instead, whatever `pretrained` is.
        reset_head: initialise the classifier, if that of the weights has other classes.
    """


COMMON = inspect.signature(_every_network)
SHAPING = ("in_channels", "thin")  # these shape the network; the others say where weights come from


def register(build: Builder, *, name: str | None = None) -> Builder:
    """Register a builder under its name, or under another.

    Its networks then also take the common arguments. They store the arguments from which they can
    be rebuilt: all except those that say where weights come from.
    """
    name = name or build.__name__
    if name in BUILDERS:
        raise ValueError(
            f"network {name!r} is registered twice: "
            f"by {BUILDERS[name].__module__} and {build.__module__}"
        )
    own = inspect.signature(build)
    if taken := set(own.parameters) & set(COMMON.parameters):
        raise ValueError(
            f"network {name!r}: every network has the argument {min(taken)!r}; remove it"
        )
    signature = own.replace(parameters=[*own.parameters.values(), *COMMON.parameters.values()])

    @functools.wraps(build)
    def built(*args: Plain, **kwargs: Plain) -> GapNet:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        common = {key: bound.arguments.pop(key) for key in COMMON.parameters}
        network = build(*bound.args, **bound.kwargs)
        network.name = name
        network.arguments = {**bound.arguments, **{key: common[key] for key in SHAPING}}
        _finish(network, **common)
        return network

    built.__name__ = built.__qualname__ = name  # one function may define several builders
    built.is_registered_network = True  # type: ignore[attr-defined]
    built.__signature__ = signature  # type: ignore[attr-defined]
    BUILDERS[name] = built
    return built


def _finish(
    network: GapNet,
    *,
    in_channels: int,
    thin: int,
    pretrained: bool,
    weights: str | None,
    reset_head: bool,
) -> None:
    """Apply the common arguments: fewer units, grey images, weights."""
    one_of("model.in_channels", in_channels, (1, RGB))
    if reset_head and not pretrained and weights is None:
        raise GapnetError(
            "model.reset_head=true: needs model.pretrained=true or model.weights=FILE"
        )
    if pretrained and thin != 1:
        raise GapnetError(
            f"model.pretrained=true and model.thin={thin}: published weights have all units; "
            "use model.thin=1"
        )
    leave_fewer_units(network, thin)
    if in_channels == 1:
        network.see_grey()
    if weights is not None:
        take_file(network, Path(weights), reset_head=reset_head)
    elif pretrained:
        take_published(network, reset_head=reset_head)


def names() -> list[str]:
    """Return the names of the registered networks."""
    return sorted(BUILDERS)


def create(name: str, arguments: Mapping[str, Plain]) -> GapNet:
    """Build a registered network from its name and arguments."""
    if name not in BUILDERS:
        near = difflib.get_close_matches(name, names(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names())}"
        raise GapnetError(
            f"network {name!r} is not registered; {hint} "
            "(if it is your own, import its module with imports=[MODULE])"
        )
    try:
        return BUILDERS[name](**arguments)
    except TypeError as error:
        raise GapnetError(
            f"network {name!r} cannot be built from {dict(arguments)}: {error}"
        ) from error
