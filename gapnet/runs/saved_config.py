"""Reads and writes the configuration in a run folder as plain values, even if untrusted."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from gapnet.errors import GapnetError, reading
from gapnet.runs.layout import CONFIG

MOST_BYTES, DEEPEST = 2**17, 50  # a normal one has a few thousand bytes and 4 levels
INTERPOLATION = "${"  # OmegaConf would replace it by a value from elsewhere
WRONG = "is not the configuration of a run"
# Numbers such as 1e-3, which OmegaConf reads as numbers and PyYAML as strings
FLOAT_TAG, FLOAT_STARTS = "tag:yaml.org,2002:float", list("-+0123456789.")
FLOAT = re.compile(r"^[-+]?(\d[\d_]*\.\d*|\.\d+|\d[\d_]*)[eE][-+]?\d+$")


class ConfigLoader(yaml.SafeLoader):  # type: ignore[misc]
    """YAML loader that reads scalars as OmegaConf does: 1e-3 is a number, 2024-01-01 a string."""


ConfigLoader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
ConfigLoader.add_implicit_resolver(FLOAT_TAG, FLOAT, FLOAT_STARTS)


class ConfigDumper(yaml.SafeDumper):  # type: ignore[misc]
    """YAML dumper that quotes strings which the loader would read as something else."""


ConfigDumper.add_implicit_resolver(FLOAT_TAG, FLOAT, FLOAT_STARTS)


def dump(config: Mapping[str, Any]) -> str:
    """Return a configuration of plain values as YAML."""
    text: str = yaml.dump(dict(config), Dumper=ConfigDumper, sort_keys=False, allow_unicode=True)
    return text


def read_saved_config(run: Path) -> dict[str, Any]:
    """Read the configuration of a run as plain values."""
    path = run / CONFIG
    text = checked_text(path)
    with reading(path, WRONG):
        values = yaml.load(text, ConfigLoader)
    if not isinstance(values, dict):
        raise GapnetError(f"{path}: {WRONG} (it is not a mapping)")
    _refuse_interpolation(values, "", path)
    return values


def checked_text(path: Path) -> str:
    """Read the YAML text of a configuration, after checking that it is safe to parse.

    It may hold plain values only: no tags, which could build objects, and no aliases, with which a
    few lines can expand to more than fits into memory.
    """
    with reading(path, WRONG):
        if path.stat().st_size > MOST_BYTES:
            raise GapnetError(f"{path}: {WRONG} (it is too large)")
        text, depth = path.read_text(encoding="utf-8"), 0
        for event in yaml.parse(text, yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            named = isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None)
            if named or getattr(event, "tag", None) or depth > DEEPEST:
                line = event.start_mark.line + 1
                raise GapnetError(f"{path}: {WRONG} (line {line} is not a plain value)")
    return text


def _refuse_interpolation(node: Any, key: str, path: Path) -> None:
    if isinstance(node, dict | list):
        pairs = node.items() if isinstance(node, dict) else enumerate(node)
        for name, value in pairs:
            _refuse_interpolation(value, f"{key}.{name}".lstrip("."), path)
    elif isinstance(node, str) and INTERPOLATION in node:
        raise GapnetError(f"{path}: {key}={node}: must be a plain value, without ${{...}}")
