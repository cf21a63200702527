"""Saves networks, and loads them again."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from gapnet.errors import GapnetError, reading, reason
from gapnet.models.adoption.no_class_maps import NoClassMapsError
from gapnet.models.adoption.split_published import split_published
from gapnet.models.builders import BUILDERS
from gapnet.models.gapnet import GapNet, Plain
from gapnet.models.hub_methods import FUNCTIONS
from gapnet.models.registry import create
from gapnet.models.weights.files import (
    DIGEST,
    KEY,
    Description,
    find_weights,
    read,
    weights_digest,
)
from gapnet.models.weights.hub import DESCRIPTION, WEIGHTS
from gapnet.models.weights.timm_folder import TimmFolder, read_timm_folder


def network_description(network: GapNet) -> dict[str, Any]:
    """Return the plain values from which a network can be rebuilt, without its weights."""
    return {
        "name": network.name,
        "arguments": dict(network.arguments),
        "classes": None if network.classes is None else list(network.classes),
        "class_names": None if network.classes is None else network.class_names,
        "weights": network.facts.weights,
        **({"multi_label": True} if network.multi_label else {}),
    }


def save(network: GapNet, folder: Path) -> None:
    """Write a network into a folder in the layout of the Hugging Face hub."""
    check_registered(network)
    facts = asdict(network.facts) | network_description(network)
    state = {name: value.contiguous() for name, value in network.state_dict().items()}
    folder.mkdir(parents=True, exist_ok=True)
    description = json.dumps(network_description(network))
    metadata = {"format": "pt", KEY: description, DIGEST: weights_digest(state, description)}
    save_file(state, folder / WEIGHTS, metadata=metadata)
    (folder / DESCRIPTION).write_text(json.dumps(facts, indent=2) + "\n")


def check_registered(network: GapNet) -> None:
    """Refuse a network that could not be loaded again, because nothing says how to build it."""
    if network.name not in BUILDERS:
        raise GapnetError(
            f"network {network.name!r}: cannot be saved, because gapnet cannot rebuild it: it is "
            "neither registered nor an unmodified network of torchvision or timm with class maps; "
            "write a function that builds it, and register it with gapnet.models.register"
        )


def load(path: str | Path) -> GapNet:
    """Rebuild a network from a run folder, a checkpoint, a safetensors file or a hub-style folder.

    hf-hub:OWNER/NAME is downloaded, at a revision with hf-hub:OWNER/NAME@REVISION. It may also be a
    convolutional classifier of timm.

    It is in eval mode. Its `normalise` takes bytes; `facts` and `classes` hold its input size, the
    origin of its weights, and its classes. Code in the file is never executed.
    """
    file = find_weights(Path(path))
    saved = read(file)
    if saved.description is None:
        return _published(file)
    with torch.device("meta"):  # needs no memory: the file may name a network of any size
        _check_sizes(_rebuild(saved.description, file), saved.state, file)
    network = _rebuild(saved.description, file)
    network.load_state_dict(saved.state)
    return network.eval()


def _published(file: Path) -> GapNet:
    """Return the classifier of timm that a folder in the layout of the hub contains."""
    folder = read_timm_folder(file)
    if folder is None:
        raise GapnetError(f"{file}: is not a gapnet checkpoint (it does not name its network)")
    if folder.changed:
        raise GapnetError(
            f"{file}: is a network of timm that was changed ({', '.join(folder.changed)}); build "
            "it with timm, and use gapnet.adopt"
        )
    with reading(file, "is not a network of timm that can be built"):
        network = _of_timm(folder, file)
    if folder.classes is not None and len(folder.classes) == network.num_classes:
        network.set_classes(folder.classes, folder.class_names)
    return network.eval()


def _of_timm(folder: TimmFolder, file: Path) -> GapNet:
    """Build a network of timm; one without class maps is split at its last map."""
    name, images = f"timm/{folder.architecture}", ("input_size", "mean", "std")
    options = {key: getattr(folder, key) for key in images}
    arguments = {"name": name, "num_classes": folder.num_classes, "weights": str(file), **options}
    try:
        return _created("published", arguments, file)
    except NoClassMapsError as error:
        return split_published(
            name, folder.num_classes, pretrained=False, weights=file, reason=str(error), **options
        )


def _check_sizes(network: GapNet, state: Mapping[str, Tensor], file: Path) -> None:
    """Refuse weights whose names or sizes are not those of the network."""
    ours = {name: value.shape for name, value in network.state_dict().items()}
    theirs = {name: value.shape for name, value in state.items()}
    differing = sorted(name for name in ours | theirs if ours.get(name) != theirs.get(name))
    if differing:
        raise GapnetError(
            f"{file}: its weights do not fit {network.name} ({len(differing)} are missing, "
            f"unexpected or of another size, such as {differing[0]})"
        )


def _rebuild(description: Description, file: Path) -> GapNet:
    try:
        network = _created(description.name, description.arguments, file)
    except GapnetError:
        raise
    except Exception as error:  # of any kind: the arguments are not trusted
        raise GapnetError(
            f"{file}: is not a gapnet checkpoint ({description.name} cannot be built: "
            f"{reason(error)})"
        ) from error
    if description.classes is not None and len(description.classes) != network.num_classes:
        raise GapnetError(
            f"{file}: is not a gapnet checkpoint (it names {len(description.classes)} classes, and "
            f"{description.name} has {network.num_classes})"
        )
    network.facts = replace(network.facts, weights=description.weights)
    network.set_classes(description.classes, description.class_names)
    network.multi_label = description.multi_label
    return network


def _created(name: str, arguments: Mapping[str, Plain], file: Path) -> GapNet:
    """Build a network; an error names the file."""
    try:
        return create(name, arguments)
    except NoClassMapsError:
        raise
    except GapnetError as error:
        raise GapnetError(f"{file}: {error}") from error


FUNCTIONS.update(save=save, load=load)
