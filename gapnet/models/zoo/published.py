"""Classifiers of torchvision and timm as they are published, nothing added."""

import difflib
from dataclasses import asdict, replace
from typing import Any

import timm
import torchvision

from gapnet.errors import GapnetError
from gapnet.models.adoption.adopt import adopt_prepared
from gapnet.models.gapnet import GapNet
from gapnet.models.heads import AdoptedHead
from gapnet.models.preprocessing import Preprocessing, of_timm, of_torchvision, timm_config
from gapnet.models.registry import register
from gapnet.models.weights.published import Published, Timm, Torchvision, torchvision_network

IMAGENET_CLASSES = 1000
# GoogLeNet and Inception v3 of torchvision have classifiers that run in training only, and their
# weights expect pixels in -1..1, which they compute from normalised ones
WITH_AUXILIARY = {"aux_logits": False, "init_weights": False, "transform_input": True}
INCEPTIONS = ("googlenet", "inception_v3")


@register
def published(
    num_classes: int | None,
    *,
    name: str = "torchvision/resnet50",
    input_size: int | None = None,
) -> GapNet:
    """Take a classifier of torchvision or timm as it is, with its own classifier's class maps.

    Args:
        num_classes: None is the number of its published weights.
        name: torchvision/NAME, timm/NAME or timm/NAME.TAG; a tag chooses among several weights.
        input_size: a side of the images; None is the size that its weights expect.
    """
    library, _, architecture = name.partition("/")
    if library == "timm":
        return _of_timm(architecture, num_classes, input_size)
    if library == "torchvision":
        return _of_torchvision(architecture, num_classes, input_size)
    raise GapnetError(f"model.name={name}: must be torchvision/NAME or timm/NAME")


def _of_timm(architecture: str, num_classes: int | None, input_size: int | None) -> GapNet:
    _check_known("timm", architecture.partition(".")[0], timm.list_models())
    config = timm_config(architecture)
    preparation = _at(of_timm(asdict(config)), input_size)
    side = preparation.input_size[-1]
    options: dict[str, Any] = {}
    if config.fixed_input_size and side != config.input_size[-1]:
        options["img_size"] = side
    classes = config.num_classes if num_classes is None else num_classes
    module = timm.create_model(architecture, num_classes=classes, **options)
    network = adopt_prepared(module, preparation)
    return _with_weights(network, Timm(architecture, _layer_names(network)))


def _of_torchvision(architecture: str, num_classes: int | None, input_size: int | None) -> GapNet:
    known = torchvision.models.list_models(module=torchvision.models)
    _check_known("torchvision", architecture, known)
    options = WITH_AUXILIARY if architecture in INCEPTIONS else {}
    classes = IMAGENET_CLASSES if num_classes is None else num_classes
    module = torchvision_network(architecture, num_classes=classes, **options)
    network = adopt_prepared(module, _at(of_torchvision(architecture), input_size))
    return _with_weights(network, Torchvision(architecture, _layer_names(network)))


def _at(preparation: Preprocessing, side: int | None) -> Preprocessing:
    """Return the preparation for images of another side, if one is given."""
    return preparation if side is None else replace(preparation, input_size=(side, side))


def _layer_names(network: GapNet) -> dict[str, str]:
    assert isinstance(network.head, AdoptedHead)
    return network.head.layer_names


def _with_weights(network: GapNet, weights: Published) -> GapNet:
    network.published = weights
    return network


def _check_known(library: str, architecture: str, known: list[str]) -> None:
    if architecture not in known:
        near = " or ".join(difflib.get_close_matches(architecture, known)) or "another"
        raise GapnetError(
            f"model.name={library}/{architecture}: {library} has no such network; "
            f"did you mean {near}?"
        )
