"""What an evaluation takes from a run folder, which may be anybody's.

A run folder may say what is computed and where to read. Whatever writes, caches or deletes (the
cache of fetched shards, the place of a data set that is drawn, loggers, profilers and plugins of
the trainer) comes from the command line or the defaults.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from gapnet.config.conf_folder import conf_folder
from gapnet.config.groups import FROM_RUN, GROUPS
from gapnet.config.trusted_targets import TARGET, current_name, find, home_of, lies_in
from gapnet.errors import GapnetError
from gapnet.runs.layout import CONFIG
from gapnet.runs.saved_config import read_saved_config

log = logging.getLogger(__name__)
FLAT = ("data", "view", "loader", "trainer")  # groups of which each names one thing
SHAPES = "gapnet.data.shapes"
WRITTEN = {"cache": "${paths.data}/fetched", "cache_gb": None}  # keys of data, and their defaults
DEFAULTS = "defaults"  # a list of them in a group would have Hydra compose more than the group
POSITIONAL = "_args_"
PLAIN = (str, int, float, bool, type(None))


def groups_of(run: Path, imports: Sequence[str] = ()) -> dict[str, DictConfig]:
    """Read the groups of a run that its evaluation starts from.

    Args:
        run: the folder.
        imports: modules that the user trusts, from the command line.
    """
    path, trained = run / CONFIG, read_saved_config(run)
    groups = {name: _values_of(trained, name, path) for name in FROM_RUN}
    groups["trainer"] = _plain_trainer(groups["trainer"], path)
    for name, values in groups.items():
        _check_targets(values, name, path, GROUPS[name].home, imports)
        if name in FLAT:
            _check_flat(values, name, path)
    groups["data"] = _without_writing(groups["data"])
    return {name: OmegaConf.create(values) for name, values in groups.items()}


def _values_of(trained: dict[str, Any], name: str, path: Path) -> dict[str, Any]:
    if not isinstance(trained.get(name), dict):
        raise GapnetError(f"{path}: is no run's configuration (it lacks {name})")
    if DEFAULTS in trained[name]:
        raise GapnetError(f"{path}: {name}.{DEFAULTS}: not allowed in a run folder; remove it")
    return dict(trained[name])


def _check_targets(node: Any, key: str, path: Path, home: str, imports: Sequence[str]) -> None:
    """Refuse a class or function that is not defined where a group's own are."""
    if not isinstance(node, dict | list):
        return
    for name, value in node.items() if isinstance(node, dict) else enumerate(node):
        if name == TARGET and not _may_be_named(value, home, imports):
            raise GapnetError(
                f"{path}: {key}.{TARGET}={value}: a run folder may only name what lies in "
                f"{home or 'nothing'} here; imports=[MODULE] on the command line allows a module "
                "of your own"
            )
        _check_targets(value, f"{key}.{name}", path, home, imports)


def _may_be_named(name: object, home: str, imports: Sequence[str]) -> bool:
    try:
        target = find(name, imports)
    except GapnetError:
        return False
    return lies_in(str(name), imports) or (home != "" and lies_in(home_of(target), [home]))


def _without_writing(data: dict[str, Any]) -> dict[str, Any]:
    """Replace the places that a data set writes to; a drawn one is still looked for in its own."""
    safe = data | {key: default for key, default in WRITTEN.items() if key in data}
    if current_name(str(data.get(TARGET))) != SHAPES:
        return safe
    drawn = data.get("root") or data.get("folder")
    return safe | {"root": None, "folder": "${paths.data}", "drawn": drawn}


def _check_flat(node: dict[str, Any], key: str, path: Path) -> None:
    """Refuse a group in which another thing to be built is hidden."""
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
    """Keep the plain values that conf/ has for the trainer; others may write anywhere."""
    known = OmegaConf.load(conf_folder() / "trainer" / "default.yaml")
    kept = {
        name: value
        for name, value in trainer.items()
        if name in known and (isinstance(value, PLAIN) or _are_numbers(value))
    }
    left_out = [name for name in trainer if name not in kept]
    if left_out:
        log.warning(
            "%s: trainer.%s: not taken from a run folder; give it on the command line",
            path,
            ", trainer.".join(left_out),
        )
    return kept


def _are_numbers(value: object) -> bool:
    """Tell a list of devices."""
    return isinstance(value, list) and all(isinstance(each, int) for each in value)
