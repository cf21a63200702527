"""Networks with a trunk and a head; every registered network is an attribute."""

from gapnet.models import zoo  # noqa: F401  (registers its networks)
from gapnet.models.adoption.explainable import explainable
from gapnet.models.builders import BUILDERS, Builder
from gapnet.models.convert_weights import convert_weights
from gapnet.models.gapify import gapify
from gapnet.models.gapnet import Facts, GapNet
from gapnet.models.heads import Added, CamHead, FlatHead
from gapnet.models.new_linear_layer import with_linear
from gapnet.models.registry import create, names, register
from gapnet.models.saved import load
from gapnet.models.taps import layer_names, layer_output, tap

__all__ = [
    "Added",
    "CamHead",
    "Facts",
    "FlatHead",
    "GapNet",
    "convert_weights",
    "create",
    "explainable",
    "gapify",
    "layer_names",
    "layer_output",
    "load",
    "names",
    "register",
    "tap",
    "with_linear",
]


def __getattr__(name: str) -> Builder:
    """Return the function that builds a registered network."""
    if name in BUILDERS:
        return BUILDERS[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
