"""The configuration that a run was trained with. It may be a stranger's: it holds plain values."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from gapnet.errors import GapnetError, reading
from gapnet.runs.layout import CONFIG, read_config

LOOKUP = "${"  # begins what OmegaConf looks up elsewhere: a run is written down with what was found


def read_trained(run: Path) -> DictConfig:
    """Read the configuration of a run."""
    path = run / CONFIG
    text = read_config(path)
    with reading(path, "is not the configuration of a run"):
        config = OmegaConf.create(text)
        _check_plain(OmegaConf.to_container(config, resolve=False), "", path)
    if not isinstance(config, DictConfig):
        raise GapnetError(f"{path}: is not the configuration of a run (it is a list)")
    return config


def _check_plain(node: Any, key: str, path: Path) -> None:
    if isinstance(node, dict | list):
        pairs = node.items() if isinstance(node, dict) else enumerate(node)
        for name, each in pairs:
            _check_plain(each, f"{key}.{name}".lstrip("."), path)
    elif isinstance(node, str) and LOOKUP in node:
        raise GapnetError(f"{path}: {key}={node}: must be a plain value, not one to be looked up")
