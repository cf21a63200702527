"""Run folders: found, identified, described."""

import json
import logging
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from gapnet import __version__
from gapnet.config.groups import group_of, path_keys
from gapnet.config.job_identity import differences, job_identity
from gapnet.errors import GapnetError
from gapnet.runs.identity import digest_of
from gapnet.runs.layout import BEST, CHECKPOINTS, CONFIG, ENVIRONMENT, LAST, LOG
from gapnet.runs.log import RunLog
from gapnet.runs.saved_config import INTERPOLATION, read_saved_config
from gapnet.text.redact import redact_arguments, redact_values

PATH_KEYS = frozenset(path_keys())
PACKAGES = ("torch", "torchvision", "pytorch-lightning", "torchmetrics", "hydra-core", "numpy")


def run_id(*, _root_: DictConfig) -> str:
    """Derive a run's id from what it computes.

    Every process of a run, and every try of it, so finds the same folder.
    """
    return digest_of(job_identity(_unplaced(_root_), _root_.get("imports") or ()))


def _unplaced(root: DictConfig) -> dict[str, Any]:
    """Resolve what a job's identity follows from, but for the places where data lies by default."""
    values: dict[str, Any] = {}
    for name in map(str, root):
        group = group_of(name)
        if group.computes:
            raw: Any = OmegaConf.to_container(OmegaConf.create({name: root._get_node(name)}))
            values[name] = _resolved(raw[name], name, root)
    return values


def _resolved(raw: Any, key: str, root: DictConfig) -> Any:
    if isinstance(raw, dict):
        return {name: _resolved(each, f"{key}.{name}", root) for name, each in raw.items()}
    if key in PATH_KEYS:
        return raw if raw is None or INTERPOLATION in str(raw) else absolute(str(raw))
    if isinstance(raw, list) or (isinstance(raw, str) and INTERPOLATION in raw):
        found = OmegaConf.select(root, key)
        return OmegaConf.to_container(found, resolve=True) if OmegaConf.is_config(found) else found
    return raw


def evaluation_folder(*, _root_: DictConfig) -> str:
    """Put an evaluation into the run that it evaluates, or among the runs if there is none."""
    run = run_of(_root_.run, _root_.checkpoint, _root_.predictions)
    return str(run / "evaluations" if run else Path(_root_.paths.runs, "evaluate"))


def run_of(run: str | None, checkpoint: str | None, predictions: str | None = None) -> Path | None:
    """Find the run folder: the one that is named, or that the checkpoint or predictions lie in."""
    if run is not None:
        if not (Path(run) / CONFIG).is_file():
            raise GapnetError(f"run={run}: is no run folder (there is no {Path(run) / CONFIG})")
        return Path(run).resolve()
    if checkpoint is not None:
        place = Path(checkpoint).resolve().parent
        inside = place.name == CHECKPOINTS and (place.parent / CONFIG).is_file()
        return place.parent if inside else None
    if predictions is not None:
        place = Path(predictions).resolve()
        return next((each for each in (place, *place.parents) if is_run(each)), None)
    return None


def is_run(folder: Path) -> bool:
    """Tell whether a folder is that of a run."""
    return (folder / CONFIG).is_file() and (folder / ENVIRONMENT).is_file()


def checkpoint_of(run: Path | None, checkpoint: str | None) -> Path:
    """Find a checkpoint: a file, the best or last of a run, or the one that the run evaluated."""
    if run is not None and checkpoint is None:
        checkpoint = read_saved_config(run).get("checkpoint", BEST)
    if run is not None and checkpoint in (BEST, LAST):
        return run / CHECKPOINTS / f"{checkpoint}.ckpt"
    path = Path(str(checkpoint))
    if not path.is_file():
        raise GapnetError(f"checkpoint {path}: no such file; name {BEST}, {LAST} or a file")
    return path


def description_of(cfg: DictConfig) -> dict[str, str]:
    """Describe a run that begins: file name -> text."""
    return {
        CONFIG: OmegaConf.to_yaml(_placed(cfg)),
        ENVIRONMENT: json.dumps(_environment(cfg), indent=2) + "\n",
    }


def log_to(folder: Path) -> logging.FileHandler:
    """Write what is said into the run's log, too."""
    handler = RunLog(folder / LOG)
    logging.getLogger().addHandler(handler)
    return handler


def _placed(cfg: DictConfig) -> DictConfig:
    """Resolve a configuration; make places absolute, and hide secrets, since others may read it."""
    placed = OmegaConf.create(redact_values(OmegaConf.to_container(cfg, resolve=True)))
    for key in PATH_KEYS:
        place = OmegaConf.select(placed, key)
        if place is not None:
            OmegaConf.update(placed, key, absolute(str(place)))
    return DictConfig(placed)


def absolute(place: str) -> str:
    """Make a path absolute; a URL is a place everywhere."""
    return place if "://" in place else str(Path(place).absolute())


def check_same(folder: Path, cfg: DictConfig, *, advice: str) -> None:
    """Refuse to take up what was begun by another configuration; name the differences."""
    begun, now = (
        read_saved_config(folder),
        cast("dict[str, Any]", OmegaConf.to_container(_placed(cfg))),
    )
    others = differences(begun, now, cfg.get("imports") or ())
    if others:
        raise GapnetError(f"folder {folder}: was begun with {'; with '.join(others)}; {advice}")


def short(path: Path) -> Path:
    """Give a path relative to where the user is, if it lies below."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _environment(cfg: DictConfig) -> dict[str, Any]:
    import torch

    return {
        "command": redact_arguments(sys.orig_argv),
        "seed": cfg.get("seed"),
        "commit": _commit(),
        "python": platform.python_version(),
        "gapnet": __version__,
        "packages": {name: version(name) for name in PACKAGES},
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "gpus": [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())],
    }


def _commit() -> str | None:
    """Name the commit of the checkout, with a + if files have changed; None for a package."""
    checkout = Path(__file__).resolve().parents[2]
    if not (checkout / "pyproject.toml").is_file():
        return None
    describe = ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+"]
    try:
        done = subprocess.run(describe, cwd=checkout, capture_output=True, text=True, check=True)
        return done.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
