"""Networks of torchvision and timm by name: torchvision/NAME or timm/NAME, also with .TAG."""

import difflib
from dataclasses import asdict, replace
from typing import Any

import timm
import torchvision
from torch import nn

from gapnet.errors import GapnetError
from gapnet.models.preprocessing import Preprocessing, of_timm, of_torchvision, timm_config
from gapnet.models.weights.published import Published, Timm, Torchvision, torchvision_network

PUBLISHERS: dict[str, type[Published]] = {"timm": Timm, "torchvision": Torchvision}
IMAGENET_CLASSES = 1000
# GoogLeNet and Inception v3 of torchvision have classifiers that run in training only, and their
# weights expect pixels in -1..1, which they compute from normalised ones
WITH_AUXILIARY = {"aux_logits": False, "init_weights": False, "transform_input": True}
INCEPTIONS = ("googlenet", "inception_v3")


def publisher_of(name: str) -> tuple[type[Published], str]:
    """Return the publisher of a network, and the network's name there; check both."""
    library, _, architecture = name.partition("/")
    if library not in PUBLISHERS:
        raise GapnetError(f"model.name={name}: must be torchvision/NAME or timm/NAME")
    known = (
        timm.list_models()
        if library == "timm"
        else torchvision.models.list_models(module=torchvision.models)
    )
    base = architecture.partition(".")[0]
    if base not in known:
        near = " or ".join(difflib.get_close_matches(base, known)) or "another"
        raise GapnetError(f"model.name={name}: {library} has no such network; did you mean {near}?")
    return PUBLISHERS[library], architecture


def preparation_of(name: str, side: int | None = None) -> Preprocessing:
    """Return how images are prepared for a network's weights, at another side if it is given."""
    publisher, architecture = publisher_of(name)
    own = (
        of_timm(asdict(timm_config(architecture)))
        if publisher is Timm
        else of_torchvision(architecture)
    )
    return own if side is None else replace(own, input_size=(side, side))


def library_network(
    name: str, num_classes: int | None = None, *, side: int | None = None
) -> nn.Module:
    """Build a network with random weights.

    Args:
        name: of the network.
        num_classes: None is the number of its published weights.
        side: of the images; None is the size that its weights expect.
    """
    publisher, architecture = publisher_of(name)
    if publisher is Torchvision:
        base = publisher(architecture).base
        options = WITH_AUXILIARY if base in INCEPTIONS else {}
        classes = IMAGENET_CLASSES if num_classes is None else num_classes
        return torchvision_network(base, num_classes=classes, **options)
    config = timm_config(architecture)
    sized: dict[str, Any] = {}
    if config.fixed_input_size and side not in (None, config.input_size[-1]):
        sized["img_size"] = side
    classes = config.num_classes if num_classes is None else num_classes
    module: nn.Module = timm.create_model(architecture, num_classes=classes, **sized)
    return module
