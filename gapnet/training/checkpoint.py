"""From a network to plain values, and from a checkpoint back to a network; no code is unpickled."""

import pickle
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gapnet.errors import GapnetError
from gapnet.models.gapnet import GapNet
from gapnet.models.registry import create

PREFIX = "network."  # of the network's weights in the LightningModule's


def describe(network: GapNet) -> dict[str, Any]:
    """Give the plain values that rebuild a network, its weights aside."""
    return {
        "name": network.name,
        "arguments": dict(network.arguments),
        "classes": None if network.classes is None else list(network.classes),
    }


def load_network(path: Path) -> GapNet:
    """Rebuild the network of a checkpoint, with its weights, in eval mode."""
    checkpoint = _read(path)
    try:
        facts = checkpoint["hyper_parameters"]["network"]
        weights = _strip(checkpoint["state_dict"])
        classes = None if facts["classes"] is None else tuple(facts["classes"])
        network = create(facts["name"], facts["arguments"])
    except (KeyError, TypeError, AttributeError, ValueError, RuntimeError) as error:
        raise GapnetError(
            f"checkpoint {path}: is no gapnet checkpoint ({error!r} is missing or of another kind)"
        ) from error
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise GapnetError(
            f"checkpoint {path}: its weights do not fit {network.name} ({reason})"
        ) from error
    network.classes = classes
    return network.eval()


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise GapnetError(f"checkpoint {path}: no such file")
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except (
        Exception
    ) as error:  # of any kind: torch's reader raises whatever a stranger's bytes lead it into
        unsafe = isinstance(error, pickle.UnpicklingError)
        told = f"{type(error).__name__}: {error}".partition("\n")[0]
        reason = "it holds more than tensors and plain values" if unsafe else told
        raise GapnetError(
            f"checkpoint {path}: is truncated or no gapnet checkpoint ({reason})"
        ) from error
    if not isinstance(checkpoint, dict):
        raise GapnetError(
            f"checkpoint {path}: is no gapnet checkpoint (it holds a {type(checkpoint).__name__})"
        )
    return checkpoint


def _strip(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(PREFIX): value for name, value in state.items() if name.startswith(PREFIX)
    }
