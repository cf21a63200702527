"""Files of weights: read without running code, whoever wrote them."""

import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors import SafetensorError, safe_open
from torch import Tensor

from gapnet.errors import GapnetError
from gapnet.layout import CHECKPOINTS, CONFIG

# A folder in the layout of the Hugging Face hub
WEIGHTS = "model.safetensors"
DESCRIPTION = "config.json"

PREFIX = "network."  # of the network's weights in the LightningModule's
KEY = "gapnet"  # of the description in a safetensors file
WRAPPINGS = ("state_dict", "model")  # where training scripts put a state dict
PARALLEL = "module."  # what DataParallel puts before each name


@dataclass(frozen=True)
class Saved:
    """Hold what a file says.

    Args:
        state: the weights by name.
        description: the plain values that rebuild the network, if gapnet wrote the file.
    """

    state: dict[str, Tensor]
    description: dict[str, Any] | None


def find(path: Path) -> Path:
    """Find the file of weights that is meant: of a run the checkpoint that it evaluated."""
    if not path.exists():
        raise GapnetError(f"{path}: no such file or folder")
    if path.is_file():
        return path
    if (path / CONFIG).is_file():
        return path / CHECKPOINTS / f"{_evaluated(path / CONFIG)}.ckpt"
    if (path / WEIGHTS).is_file():
        return path / WEIGHTS
    raise GapnetError(
        f"{path}: is neither a run folder (with {CONFIG}) nor one of the hub's (with {WEIGHTS})"
    )


def read(path: Path) -> Saved:
    """Read a checkpoint, a state dict or a safetensors file."""
    if not path.is_file():
        raise GapnetError(f"{path}: no such file")
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    content = _read_torch(path)
    described = content.get("hyper_parameters")
    if isinstance(described, dict) and "network" in described:
        return Saved(_strip(content.get("state_dict"), path), described["network"])
    return Saved(_state_of(content, path), None)


def read_state(path: Path) -> dict[str, Tensor]:
    """Read the weights of a file."""
    return read(path).state


def _read_safetensors(path: Path) -> Saved:
    try:
        with safe_open(path, framework="pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no dict)
            told = (file.metadata() or {}).get(KEY)
        beside = path.with_name(DESCRIPTION)
        told = beside.read_text() if told is None and beside.is_file() else told
        return Saved(state, None if told is None else _description(json.loads(told)))
    except (SafetensorError, OSError, ValueError) as error:
        raise GapnetError(f"{path}: is truncated or no safetensors file ({error})") from error


def _description(told: object) -> dict[str, Any] | None:
    """Take a description for what it is; a config.json may be anybody's."""
    return told if isinstance(told, dict) and {"name", "arguments"} <= set(told) else None


def _read_torch(path: Path) -> dict[str, Any]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch's reader raises whatever a stranger's bytes lead it into
        unsafe = isinstance(error, pickle.UnpicklingError)
        told = f"{type(error).__name__}: {error}".partition("\n")[0]
        reason = "it holds more than tensors and plain values" if unsafe else told
        raise GapnetError(f"{path}: is truncated or no checkpoint ({reason})") from error
    if not isinstance(content, dict):
        raise GapnetError(f"{path}: is no checkpoint (it holds a {type(content).__name__})")
    return content


def _strip(state: object, path: Path) -> dict[str, Tensor]:
    """Take the network's weights out of a LightningModule's."""
    if not isinstance(state, dict):
        raise GapnetError(f"{path}: is no gapnet checkpoint (it lacks 'state_dict')")
    return {
        name.removeprefix(PREFIX): value for name, value in state.items() if name.startswith(PREFIX)
    }


def _state_of(content: Mapping[str, Any], path: Path) -> dict[str, Tensor]:
    """Take a state dict out of what a training script has wrapped it in."""
    for key in WRAPPINGS:
        if isinstance(content.get(key), dict):
            content = content[key]
    if not content or not all(isinstance(value, Tensor) for value in content.values()):
        raise GapnetError(f"{path}: holds no state dict")
    bare = all(name.startswith(PARALLEL) for name in content)
    return {name.removeprefix(PARALLEL) if bare else name: each for name, each in content.items()}


def _evaluated(config: Path) -> str:
    try:
        which = yaml.safe_load(config.read_text(encoding="utf-8"))["checkpoint"]
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise GapnetError(f"{config}: is not the configuration of a run") from error
    return str(which)
