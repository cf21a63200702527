"""Read the configuration of a run for its evaluation; the run folder is not trusted.

A run folder may say what is computed and where data is read. Settings with which files are written
or deleted (the cache of fetched shards, the folder of generated images, loggers, profilers and
plugins of the trainer) come from the command line or the defaults.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from gapnet.config.conf_folder import conf_folder
from gapnet.config.groups import FROM_RUN, GROUPS
from gapnet.config.trusted_targets import TARGET, current_name, find_signature, home_of, is_in
from gapnet.errors import GapnetError
from gapnet.runs.layout import CONFIG
from gapnet.runs.saved_config import read_saved_config

log = logging.getLogger(__name__)
FLAT = ("data", "view", "loader", "trainer")  # groups that describe one object each
SHAPES = "gapnet.data.shapes"
WRITTEN = {
    "cache": "${paths.data}/fetched",
    "cache_gb": None,
}  # keys of data with which files are written, and defaults
DEFAULTS = "defaults"  # with such a list, Hydra would compose more than the group
POSITIONAL = "_args_"
PLAIN = (str, int, float, bool, type(None))


def groups_of(run: Path, imports: Sequence[str] = ()) -> dict[str, DictConfig]:
    """Return the groups of a run with which its evaluation starts.

    Args:
        run: folder of the run.
        imports: modules that the user trusts, from the command line.
    """
    path, config = run / CONFIG, read_saved_config(run)
    groups = {name: _values_of(config, name, path) for name in FROM_RUN}
    groups["trainer"] = _plain_trainer(groups["trainer"], path)
    for name, values in groups.items():
        _check_group(values, name, path, imports)
    groups["data"] = _without_writing(groups["data"])
    groups["report"] = _default_report() | groups["report"]  # a run of an earlier version has less
    return {name: OmegaConf.create(values) for name, values in groups.items()}


def data_of(folder: Path, imports: Sequence[str] = ()) -> DictConfig:
    """Return the group of the data set with which the features in a folder were made.

    Args:
        folder: of features.
        imports: modules that the user trusts, from the command line.
    """
    path = folder / CONFIG
    values = _values_of(read_saved_config(folder), "data", path)
    _check_group(values, "data", path, imports)
    return OmegaConf.create(_without_writing(values))


def _check_group(values: dict[str, Any], name: str, path: Path, imports: Sequence[str]) -> None:
    _check_targets(values, name, path, GROUPS[name].home, imports)
    if name in FLAT:
        _check_flat(values, name, path)


def _values_of(config: dict[str, Any], name: str, path: Path) -> dict[str, Any]:
    if not isinstance(config.get(name), dict):
        raise GapnetError(f"{path}: is not the configuration of a run ({name} is missing)")
    if DEFAULTS in config[name]:
        raise GapnetError(f"{path}: {name}.{DEFAULTS}: not allowed in a run folder; remove it")
    return dict(config[name])


def _default_report() -> dict[str, Any]:
    values: Any = OmegaConf.to_container(OmegaConf.load(conf_folder() / "report" / "default.yaml"))
    return dict(values)


def _check_targets(node: Any, key: str, path: Path, home: str, imports: Sequence[str]) -> None:
    """Refuse classes and functions that are not defined in the group's package."""
    if not isinstance(node, dict | list):
        return
    for name, value in node.items() if isinstance(node, dict) else enumerate(node):
        if name == TARGET and not _may_be_named(value, home, imports):
            raise GapnetError(
                f"{path}: {key}.{TARGET}={value}: must be in {home or 'no package'} in a run "
                "folder; imports=[MODULE] on the command line allows a module that you trust"
            )
        _check_targets(value, f"{key}.{name}", path, home, imports)


def _may_be_named(name: object, home: str, imports: Sequence[str]) -> bool:
    try:
        target = find_signature(name, imports)
    except GapnetError:
        return False
    return is_in(str(name), imports) or (home != "" and is_in(home_of(target), [home]))


def _without_writing(data: dict[str, Any]) -> dict[str, Any]:
    """Replace the paths that a data set writes to; generated images are still read from theirs."""
    safe = data | {key: default for key, default in WRITTEN.items() if key in data}
    if current_name(str(data.get(TARGET))) != SHAPES:
        return safe
    drawn = data.get("root") or data.get("folder")
    return safe | {"root": None, "folder": "${paths.data}", "drawn": drawn}


def _check_flat(node: dict[str, Any], key: str, path: Path) -> None:
    """Refuse a group that contains a second object to build."""
    if POSITIONAL in node or _holds_target(
        [value for name, value in node.items() if name != TARGET]
    ):
        raise GapnetError(
            f"{path}: {key}: nested _target_ and _args_ are not allowed in a run folder"
        )


def _holds_target(node: Any) -> bool:
    if isinstance(node, dict):
        return TARGET in node or any(map(_holds_target, node.values()))
    return isinstance(node, list) and any(map(_holds_target, node))


def _plain_trainer(trainer: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return the plain values for which conf/ has a key; others might write files anywhere."""
    known = OmegaConf.load(conf_folder() / "trainer" / "default.yaml")
    plain = {
        name: value
        for name, value in trainer.items()
        if name in known and (isinstance(value, PLAIN) or _are_numbers(value))
    }
    left_out = [name for name in trainer if name not in plain]
    if left_out:
        log.warning(
            "%s: trainer.%s: ignored in a run folder; set it on the command line",
            path,
            ", trainer.".join(left_out),
        )
    return plain


def _are_numbers(value: object) -> bool:
    """Return whether a value is a list of integers, as for devices."""
    return isinstance(value, list) and all(isinstance(item, int) for item in value)
