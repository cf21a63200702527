"""Identities of the network and the batches, which predictions contain."""

from collections.abc import Mapping
from typing import Any

from gapnet.models.builders import own_arguments
from gapnet.runs.identity import IS, plain_value


def network_identity(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the identity of a registered network."""
    return {IS: name, **plain_value(own_arguments(name, arguments))}


def batches_identity(view: Any, size: int, precision: str, device: str) -> dict[str, Any]:
    """Return the identity of the view and the batches."""
    return {"view": view, "size": size, "precision": precision, "device": device}
