"""Reads files of weights, without executing code from them."""

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
from gapnet.models.weights.hub import DESCRIPTION, WEIGHTS, download, is_hub_name
from gapnet.runs.layout import BEST, CHECKPOINTS, CONFIG, LAST
from gapnet.runs.saved_config import read_saved_config

PREFIX = "network."  # of the network's weights in the state dict of the LightningModule
KEY = "gapnet"  # key of the description in a safetensors file
DIGEST = "gapnet_sha256"  # key of the digest of the weights and the description
WEIGHT_ARGUMENTS = {"pretrained", "weights", "reset_head"}  # a saved network cannot have them
WRAPPINGS = ("state_dict", "model")  # keys under which training scripts save a state dict
SHARED = 10  # at most so many weights may share the same numbers
PARALLEL = "module."  # prefix that DataParallel adds to every name


@dataclass(frozen=True)
class Description:
    """Plain values from which a network can be rebuilt: name, arguments, classes.

    Files of earlier versions have no names of the classes.
    """

    name: str
    arguments: dict[str, Any]
    classes: tuple[str, ...] | None
    class_names: tuple[str, ...] | None = None
    weights: str = "unknown"
    multi_label: bool = False


@dataclass(frozen=True)
class Saved:
    """Content of a file of weights.

    Args:
        state: the weights by name.
        description: of the network; None if gapnet did not write the file.
    """

    state: dict[str, Tensor]
    description: Description | None


def find_weights(path: Path) -> Path:
    """Return the file of weights at a path; for a run, the checkpoint that it evaluated.

    Weights of hf-hub:OWNER/NAME are downloaded into a cache.
    """
    if is_hub_name(path):
        return download(path)
    if not path.exists():
        raise GapnetError(f"{path}: no such file or folder")
    if path.is_file():
        return path
    if (path / CONFIG).is_file():
        return path / CHECKPOINTS / f"{_evaluated(path / CONFIG)}.ckpt"
    if (path / WEIGHTS).is_file():
        return path / WEIGHTS
    raise GapnetError(
        f"{path}: is neither a run folder (with {CONFIG}) nor a hub folder (with {WEIGHTS})"
    )


def read(path: Path) -> Saved:
    """Read a checkpoint, a state dict or a safetensors file."""
    if not path.is_file():
        raise GapnetError(f"{path}: no such file")
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    content = read_checkpoint(path)
    with reading(path, "is truncated or not a checkpoint"):
        state, parameters = _state_of(content, path), content.get("hyper_parameters")
    if isinstance(parameters, dict) and "network" in parameters:
        return Saved(_strip(state), _description(parameters["network"], path))
    return Saved(state, None)


def read_state(path: Path) -> dict[str, Tensor]:
    """Return the weights in a file."""
    return read(path).state


def _read_safetensors(path: Path) -> Saved:
    with reading(path, "is truncated or not a safetensors file"):
        with safe_open(path, framework="pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no dict)
            metadata = file.metadata() or {}
        text = metadata.get(KEY)
        if DIGEST in metadata and metadata[DIGEST] != weights_digest(state, text):
            raise GapnetError(f"{path}: is damaged (the checksum of its weights is wrong)")
        config = path.with_name(DESCRIPTION)
        text = config.read_text() if text is None and config.is_file() else text
        values = None if text is None else json.loads(text)
        _check_finite(state, path)
    # Other tools also write a config.json
    ours = isinstance(values, dict) and {"name", "arguments"} <= set(values)
    return Saved(state, _description(values, path) if ours else None)


def weights_digest(state: Mapping[str, Tensor], description: str | None) -> str:
    """Return a digest of weights, with names, types and shapes, and of their description."""
    digest = hashlib.sha256(repr(description).encode())
    for name, value in sorted(state.items()):
        digest.update(repr((name, value.dtype, tuple(value.shape))).encode())
        digest.update(value.cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _description(values: object, path: Path) -> Description:
    """Return the description in a file, after checking it; the file is not trusted."""
    if not isinstance(values, dict):
        raise GapnetError(
            f"{path}: is not a gapnet checkpoint (its description is a {_kind(values)})"
        )
    name, arguments = values.get("name"), values.get("arguments")
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise GapnetError(f"{path}: is not a gapnet checkpoint (it does not name its network)")
    if refused := sorted(WEIGHT_ARGUMENTS & set(arguments)):
        raise GapnetError(f"{path}: is not a gapnet checkpoint (its network has {refused[0]}=...)")
    ids, names = (_texts(values.get(key), key, path) for key in ("classes", "class_names"))
    if ids is None or names is None:
        names = None
    elif len(names) != len(ids):
        raise GapnetError(
            f"{path}: is not a gapnet checkpoint (it has {len(ids)} classes and {len(names)} names)"
        )
    weights, multi_label = str(values.get("weights", "unknown")), values.get("multi_label") is True
    return Description(name, arguments, ids, names, weights, multi_label)


def _texts(values: object, key: str, path: Path) -> tuple[str, ...] | None:
    if values is None:
        return None
    if isinstance(values, list) and all(map(_is_text, values)):
        return tuple(values)
    raise GapnetError(f"{path}: is not a gapnet checkpoint (its {key} are not a list of strings)")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _strip(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the network's weights from those of a LightningModule."""
    return {
        name.removeprefix(PREFIX): value for name, value in state.items() if name.startswith(PREFIX)
    }


def _state_of(content: Mapping[str, Any], path: Path) -> dict[str, Tensor]:
    """Return the state dict in the content of a checkpoint."""
    for key in WRAPPINGS:
        if isinstance(content.get(key), dict):
            content = content[key]
    if not content or not all(map(_is_weight, content.items())):
        raise GapnetError(f"{path}: contains no state dict")
    size = sum(value.numel() * value.element_size() for value in content.values())
    if size > SHARED * path.stat().st_size:
        raise GapnetError(f"{path}: is not a checkpoint (its weights would need {size:,} bytes)")
    _check_finite(content, path)
    parallel = all(name.startswith(PARALLEL) for name in content)
    return {
        name.removeprefix(PARALLEL) if parallel else name: value for name, value in content.items()
    }


def _check_finite(state: Mapping[str, Tensor], path: Path) -> None:
    for name, value in state.items():
        if not torch.isfinite(value).all():
            raise GapnetError(f"{path}: its weight {name} contains NaN or infinite values")


def _is_weight(item: tuple[object, object]) -> bool:
    name, value = item
    dense = isinstance(value, Tensor) and value.layout == torch.strided and not value.is_meta
    return isinstance(name, str) and dense


def _kind(value: object) -> str:
    return type(value).__name__


def _evaluated(config: Path) -> str:
    values = read_saved_config(config.parent)
    with reading(config, "is not the configuration of a run"):
        checkpoint = values.get("checkpoint", BEST)
        if checkpoint not in (BEST, LAST):
            raise ValueError(f"checkpoint={checkpoint}: must be {BEST} or {LAST}")
    return str(checkpoint)
