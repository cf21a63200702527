"""Id of a run, and the configuration that is saved in its folder."""

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
    """Register the resolvers that conf/ uses; needed once per process."""
    OmegaConf.register_new_resolver("run_id", run_id, replace=True)
    OmegaConf.register_new_resolver("evaluation_folder", evaluation_folder, replace=True)
    OmegaConf.register_new_resolver("command_folder", command_folder, replace=True)


def run_id(*, _root_: DictConfig) -> str:
    """Return the id of a run, which depends only on what the run computes.

    So every process of a run, and every attempt to continue it, uses the same folder.
    """
    return identity_digest(job_identity(_computing_values(_root_), _root_.get("imports") or ()))


def evaluation_folder(*, _root_: DictConfig) -> str:
    """Return where evaluations are written: into the evaluated run, or else into paths.runs."""
    run = find_run(_root_.run, _root_.checkpoint, _root_.predictions)
    return str(run / "evaluations" if run else Path(_root_.paths.runs, "evaluate"))


def command_folder(name: str, *, _root_: DictConfig) -> str:
    """Return where other commands write: into the run whose network they use, or paths.runs."""
    run = find_run(_root_.run, _root_.checkpoint)
    return str((run or Path(_root_.paths.runs)) / name)


def plain_config(cfg: DictConfig) -> dict[str, Any]:
    """Return a configuration for config.yaml: resolved, with absolute paths and no secrets."""
    config = OmegaConf.create(redact_values(OmegaConf.to_container(cfg, resolve=True)))
    for key in PATH_KEYS:
        path = OmegaConf.select(config, key)
        if path is not None:
            OmegaConf.update(config, key, absolute(str(path)))
    return cast("dict[str, Any]", OmegaConf.to_container(config))


def absolute(path: str) -> str:
    """Return an absolute path; a URL is returned unchanged."""
    return path if "://" in path else str(Path(path).absolute())


def _computing_values(root: DictConfig) -> dict[str, Any]:
    """Return the resolved values that the id depends on; default paths stay unresolved."""
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
