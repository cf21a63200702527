"""Refuses weights of another variant of a network, whose names and sizes are the same.

timm's networks with the prefix tf_ pad as TensorFlow does, and their batch norms have an epsilon of
1e-3. Their weights fit the networks without the prefix, which then make more errors.
"""

import json
from pathlib import Path

import timm

from gapnet.errors import GapnetError, reading
from gapnet.models.weights.files import DESCRIPTION

TENSORFLOW = "tf_"
HUB_NAMES = ("model.safetensors", "pytorch_model.bin", "pytorch_model.pth")


def check_variant(file: Path, architecture: str) -> None:
    """Refuse a file that says that it is of another variant than `architecture`."""
    ours = architecture.partition(".")[0]
    for theirs, place in ((_in_config(file), DESCRIPTION), (_in_name(file, ours), "its name")):
        if theirs is not None and theirs != ours:
            raise GapnetError(
                f"model.weights={file}: is of timm's {theirs} according to {place}, not of {ours}; "
                f"use model.name=timm/{theirs}"
            )


def _in_config(file: Path) -> str | None:
    """Return the architecture in the config.json that timm writes next to weights."""
    config = file.with_name(DESCRIPTION)
    if file.name not in HUB_NAMES or not config.is_file():
        return None
    with reading(config, "is not the description of a network"):
        values = json.loads(config.read_text())
    name = values.get("architecture") if isinstance(values, dict) else None
    return name if isinstance(name, str) and timm.is_model(name) else None


def _in_name(file: Path, ours: str) -> str | None:
    """Return the variant of our architecture that a file is named after, as timm's files are."""
    name = file.name.partition("-")[0].partition(".")[0]
    same = name.removeprefix(TENSORFLOW) == ours.removeprefix(TENSORFLOW)
    return name if same and timm.is_model(name) else None
