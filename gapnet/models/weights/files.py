"""Files of weights: read without running code, whoever wrote them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from gapnet.errors import GapnetError, reading
from gapnet.models.checkpoint_file import read_checkpoint
from gapnet.runs.layout import BEST, CHECKPOINTS, CONFIG, LAST
from gapnet.runs.saved_config import read_saved_config

# A folder in the layout of the Hugging Face hub
WEIGHTS = "model.safetensors"
DESCRIPTION = "config.json"

PREFIX = "network."  # of the network's weights in the LightningModule's
KEY = "gapnet"  # of the description in a safetensors file
DIGEST = "gapnet_sha256"  # key of the digest of the weights and the description
STARTS = {"pretrained", "weights", "reset_head"}  # arguments that a saved network cannot have
WRAPPINGS = ("state_dict", "model")  # where training scripts put a state dict
SHARED = 10  # weights may have the same numbers, so many times at most
PARALLEL = "module."  # what DataParallel puts before each name


@dataclass(frozen=True)
class Description:
    """Hold the plain values that rebuild a network: its name, its arguments, its classes' ids."""

    name: str
    arguments: dict[str, Any]
    classes: tuple[str, ...] | None
    weights: str = "unknown"


@dataclass(frozen=True)
class Saved:
    """Hold what a file says.

    Args:
        state: the weights by name.
        description: of the network, if gapnet wrote the file.
    """

    state: dict[str, Tensor]
    description: Description | None


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
    content = read_checkpoint(path)
    with reading(path, "is truncated or not a checkpoint"):
        state, described = _state_of(content, path), content.get("hyper_parameters")
    if isinstance(described, dict) and "network" in described:
        return Saved(_strip(state), _description(described["network"], path))
    return Saved(state, None)


def read_state(path: Path) -> dict[str, Tensor]:
    """Read the weights of a file."""
    return read(path).state


def _read_safetensors(path: Path) -> Saved:
    with reading(path, "is truncated or no safetensors file"):
        with safe_open(path, framework="pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no dict)
            metadata = file.metadata() or {}
        told = metadata.get(KEY)
        if DIGEST in metadata and metadata[DIGEST] != digest_of(state, told):
            raise GapnetError(f"{path}: is damaged (the checksum of its weights is wrong)")
        beside = path.with_name(DESCRIPTION)
        told = beside.read_text() if told is None and beside.is_file() else told
        described = None if told is None else json.loads(told)
        _check_finite(state, path)
    ours = isinstance(described, dict) and {"name", "arguments"} <= set(described)
    return Saved(state, _description(described, path) if ours else None)  # config.json is anybody's


def digest_of(state: Mapping[str, Tensor], description: str | None) -> str:
    """Digest weights, with their names, types and shapes, and the description that they have."""
    digest = hashlib.sha256(repr(description).encode())
    for name, value in sorted(state.items()):
        digest.update(repr((name, value.dtype, tuple(value.shape))).encode())
        digest.update(value.cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _description(told: object, path: Path) -> Description:
    """Check what a file says of its network; it may be anybody's."""
    if not isinstance(told, dict):
        raise GapnetError(f"{path}: is no gapnet checkpoint (its description is a {_kind(told)})")
    name, arguments, classes = (told.get(key) for key in ("name", "arguments", "classes"))
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise GapnetError(
            f"{path}: is no gapnet checkpoint (it does not say what network it is of)"
        )
    if starts := sorted(STARTS & set(arguments)):
        raise GapnetError(f"{path}: is no gapnet checkpoint (its network asks for {starts[0]})")
    if not (classes is None or (isinstance(classes, list) and all(map(_is_text, classes)))):
        raise GapnetError(f"{path}: is no gapnet checkpoint (its classes are no list of ids)")
    known = None if classes is None else tuple(classes)
    return Description(name, arguments, known, str(told.get("weights", "unknown")))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _strip(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Take the network's weights out of a LightningModule's."""
    return {
        name.removeprefix(PREFIX): value for name, value in state.items() if name.startswith(PREFIX)
    }


def _state_of(content: Mapping[str, Any], path: Path) -> dict[str, Tensor]:
    """Take a state dict out of what a training script has wrapped it in."""
    for key in WRAPPINGS:
        if isinstance(content.get(key), dict):
            content = content[key]
    if not content or not all(map(_is_weight, content.items())):
        raise GapnetError(f"{path}: holds no state dict")
    size = sum(each.numel() * each.element_size() for each in content.values())
    if size > SHARED * path.stat().st_size:
        raise GapnetError(f"{path}: is no checkpoint (its weights would take {size:,} bytes)")
    _check_finite(content, path)
    bare = all(name.startswith(PARALLEL) for name in content)
    return {name.removeprefix(PARALLEL) if bare else name: each for name, each in content.items()}


def _check_finite(state: Mapping[str, Tensor], path: Path) -> None:
    for name, value in state.items():
        if not torch.isfinite(value).all():
            raise GapnetError(f"{path}: its weight {name} holds NaN or infinite values")


def _is_weight(item: tuple[object, object]) -> bool:
    name, value = item
    dense = isinstance(value, Tensor) and value.layout == torch.strided and not value.is_meta
    return isinstance(name, str) and dense


def _kind(value: object) -> str:
    return type(value).__name__


def _evaluated(config: Path) -> str:
    values = read_saved_config(config.parent)
    with reading(config, "is not the configuration of a run"):
        which = values.get("checkpoint", BEST)
        if which not in (BEST, LAST):
            raise ValueError(f"checkpoint={which}: must be {BEST} or {LAST}")
    return str(which)
