"""The functions that build registered networks, by name."""

from collections.abc import Callable, Mapping

from gapnet.models.gapnet import GapNet
from gapnet.runs.identity import non_default_arguments

Builder = Callable[..., GapNet]
BUILDERS: dict[str, Builder] = {}  # filled by gapnet.models.registry.register


def own_arguments(name: str, arguments: Mapping[str, object]) -> dict[str, object]:
    """Return the arguments of a network that differ from its builder's defaults."""
    builder = BUILDERS.get(name)
    return dict(arguments) if builder is None else non_default_arguments(builder, arguments)
