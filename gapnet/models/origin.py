"""Finds out from which network of torchvision or timm a module comes, so that it can be saved."""

import logging
from collections.abc import Mapping
from dataclasses import replace

import timm
import torch
import torchvision
from torch import fx, nn

from gapnet.models.builders import BUILDERS
from gapnet.models.gapnet import GapNet, Plain
from gapnet.models.library import preparation_of
from gapnet.models.preprocessing import timm_config
from gapnet.models.weights.published import torchvision_layout

log = logging.getLogger(__name__)
KERNEL = 3  # least dimensions of a conv's weight


def origin_of(module: nn.Module) -> str | None:
    """Return the name of a module's network, torchvision/NAME or timm/NAME, if it has one."""
    library = type(module).__module__.partition(".")[0]
    if library == "timm":
        return _of_timm(module)
    return _of_torchvision(module) if library == "torchvision" else None


def name_origin(
    network: GapNet, builder: str, origin: str | None, added: Mapping[str, Plain]
) -> GapNet:
    """Give a network the name and the arguments from which gapnet can build it again.

    This is done only if they give the same layers; else the network keeps its name, and `save`
    raises an error. `added` are arguments of the builder besides the name of the origin.
    """
    if origin is None:
        return network
    try:
        with torch.device("meta"):
            again = BUILDERS[builder](**_arguments(network, origin, added))
    except Exception as error:  # of any kind: any network of a library is built here
        log.debug("%s cannot be built again: %s", origin, error)
        return network
    if _layers(again) == _layers(network):
        network.name, network.arguments = again.name, again.arguments
        network.published = again.published
        network.facts = replace(again.facts, weights=network.facts.weights)
    return network


def _of_timm(module: nn.Module) -> str | None:
    config = getattr(module, "pretrained_cfg", None)
    name = config.get("architecture") if isinstance(config, Mapping) else None
    if not isinstance(name, str) or not timm.is_model(name):
        return None
    tag = config.get("tag") if isinstance(config, Mapping) else None
    return f"timm/{name}.{tag}" if tag and tag != timm_config(name).tag else f"timm/{name}"


def _of_torchvision(module: nn.Module) -> str | None:
    kernels = _kernels({name: value.shape for name, value in module.state_dict().items()})
    for architecture in torchvision.models.list_models(module=torchvision.models):
        builder = torchvision.models.get_model_builder(architecture)
        same_file = builder.__module__ == type(module).__module__
        if same_file and _kernels(torchvision_layout(architecture)) == kernels:
            return f"torchvision/{architecture}"
    return None


def _kernels(sizes: Mapping[str, torch.Size]) -> dict[str, torch.Size]:
    """Leave out classifiers: the last one, and those that run in training only."""
    return {
        name: size
        for name, size in sizes.items()
        if len(size) >= KERNEL and not name.lower().startswith("aux")
    }


def _arguments(network: GapNet, origin: str, added: Mapping[str, Plain]) -> dict[str, Plain]:
    facts = network.facts
    own = preparation_of(origin)
    height, width = facts.input_size
    return {
        "num_classes": network.num_classes,
        "name": origin,
        **added,
        "input_size": None if facts.input_size == own.input_size else _side(height, width),
        "mean": None if tuple(facts.mean) == tuple(own.mean) else list(facts.mean),
        "std": None if tuple(facts.std) == tuple(own.std) else list(facts.std),
    }


def _side(height: int, width: int) -> int | list[int]:
    return height if height == width else [height, width]


def _layers(network: GapNet) -> list[object]:
    """Describe all layers with their settings, the order of the computation, and the images."""
    traced = [part for part in network.trunk.modules() if isinstance(part, fx.GraphModule)]
    facts = network.facts
    return [
        repr(network.trunk),
        repr(network.head),
        [part.code for part in traced],
        [(name, value.shape) for name, value in network.state_dict().items()],
        (facts.input_size, facts.map_size, tuple(facts.mean), tuple(facts.std)),
    ]
