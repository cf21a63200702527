"""From a network to plain values, and from what was saved back to a network, ready for use."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from gapnet.errors import GapnetError, reason
from gapnet.models.gapnet import GapNet
from gapnet.models.registry import create
from gapnet.models.weights.files import (
    DESCRIPTION,
    DIGEST,
    KEY,
    WEIGHTS,
    Description,
    digest_of,
    find,
    read,
)


def describe(network: GapNet) -> dict[str, Any]:
    """Give the plain values that rebuild a network, its weights aside."""
    return {
        "name": network.name,
        "arguments": dict(network.arguments),
        "classes": None if network.classes is None else list(network.classes),
        "weights": network.facts.weights,
    }


def save(network: GapNet, folder: Path) -> None:
    """Write a network into a folder in the layout of the Hugging Face hub, as its mixin does."""
    facts = asdict(network.facts) | describe(network)
    state = {name: value.contiguous() for name, value in network.state_dict().items()}
    folder.mkdir(parents=True, exist_ok=True)
    description = json.dumps(describe(network))
    metadata = {"format": "pt", KEY: description, DIGEST: digest_of(state, description)}
    save_file(state, folder / WEIGHTS, metadata=metadata)
    (folder / DESCRIPTION).write_text(json.dumps(facts, indent=2) + "\n")


def load(path: str | Path) -> GapNet:
    """Rebuild a network from a run folder, a checkpoint, a safetensors file or a hub-style folder.

    It comes in eval mode, takes bytes through its `normalise`, and knows its input size, classes
    and origin (`facts`, `classes`). No code is run that the file might hold.
    """
    file = find(Path(path))
    saved = read(file)
    if saved.description is None:
        raise GapnetError(
            f"{file}: is no gapnet checkpoint (it does not say what network it is of)"
        )
    with torch.device("meta"):  # where anything fits: the file may ask for a network of any size
        _check_sizes(_rebuild(saved.description, file), saved.state, file)
    network = _rebuild(saved.description, file)
    network.load_state_dict(saved.state)
    return network.eval()


def _check_sizes(network: GapNet, state: Mapping[str, Tensor], file: Path) -> None:
    """Refuse weights that are not those of a network, name for name and size for size."""
    ours = {name: value.shape for name, value in network.state_dict().items()}
    theirs = {name: value.shape for name, value in state.items()}
    apart = sorted(each for each in ours | theirs if ours.get(each) != theirs.get(each))
    if apart:
        raise GapnetError(
            f"{file}: its weights do not fit {network.name} ({len(apart)} are missing, unexpected "
            f"or of another size, such as {apart[0]})"
        )


def _rebuild(described: Description, file: Path) -> GapNet:
    try:
        network = create(described.name, described.arguments)
    except GapnetError as error:
        raise GapnetError(f"{file}: {error}") from error
    except Exception as error:  # of any kind: the arguments may be anybody's
        raise GapnetError(
            f"{file}: is no gapnet checkpoint ({described.name} cannot be built: {reason(error)})"
        ) from error
    if described.classes is not None and len(described.classes) != network.num_classes:
        raise GapnetError(
            f"{file}: is no gapnet checkpoint (it names {len(described.classes)} classes, and "
            f"{described.name} has {network.num_classes})"
        )
    network.facts = replace(network.facts, weights=described.weights)
    network.classes = described.classes
    return network
