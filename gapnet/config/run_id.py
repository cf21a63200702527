"""The id of a run, and the configuration that its folder keeps."""

from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from gapnet.config.groups import group_of, path_keys
from gapnet.config.job_identity import job_identity
from gapnet.runs.folder import find_run
from gapnet.runs.identity import identity_digest
from gapnet.runs.saved_config import INTERPOLATION
from gapnet.text.redact import redact_values

PATH_KEYS = frozenset(path_keys())


def register_resolvers() -> None:
    """Make known to OmegaConf what conf/ uses; each process needs this."""
    OmegaConf.register_new_resolver("run_id", run_id, replace=True)
    OmegaConf.register_new_resolver("evaluation_folder", evaluation_folder, replace=True)


def run_id(*, _root_: DictConfig) -> str:
    """Return a run's id, which follows from what the run computes.

    Every process of a run, and every attempt at it, so finds the same folder.
    """
    return identity_digest(job_identity(_without_places(_root_), _root_.get("imports") or ()))


def evaluation_folder(*, _root_: DictConfig) -> str:
    """Return where an evaluation goes: into the run that it evaluates, or among the runs."""
    run = find_run(_root_.run, _root_.checkpoint, _root_.predictions)
    return str(run / "evaluations" if run else Path(_root_.paths.runs, "evaluate"))


def plain_config(cfg: DictConfig) -> dict[str, Any]:
    """Resolve a configuration for config.yaml: absolute paths, and no secrets."""
    config = OmegaConf.create(redact_values(OmegaConf.to_container(cfg, resolve=True)))
    for key in PATH_KEYS:
        path = OmegaConf.select(config, key)
        if path is not None:
            OmegaConf.update(config, key, absolute(str(path)))
    return cast("dict[str, Any]", OmegaConf.to_container(config))


def absolute(path: str) -> str:
    """Make a path absolute; a URL is absolute."""
    return path if "://" in path else str(Path(path).absolute())


def _without_places(root: DictConfig) -> dict[str, Any]:
    """Resolve what the id follows from, except the places where data lies by default."""
    raw: Any = OmegaConf.to_container(root)
    return {
        name: _resolved(value, name, root) for name, value in raw.items() if group_of(name).computes
    }


def _resolved(raw: Any, key: str, root: DictConfig) -> Any:
    if isinstance(raw, dict):
        return {name: _resolved(value, f"{key}.{name}", root) for name, value in raw.items()}
    if key in PATH_KEYS:
        return raw if raw is None or INTERPOLATION in str(raw) else absolute(str(raw))
    if isinstance(raw, list) or (isinstance(raw, str) and INTERPOLATION in raw):
        value = OmegaConf.select(root, key)
        return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
    return raw
