"""Run folders: found, identified, described."""

import hashlib
import json
import logging
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from gapnet import __version__
from gapnet.cli.run_log import RunLog
from gapnet.cli.trained import read_trained
from gapnet.errors import GapnetError
from gapnet.layout import BEST, CHECKPOINTS, CONFIG, ENVIRONMENT, LAST, LOG
from gapnet.redact import redact_arguments, redact_values

NOT_THE_JOB = {
    "hydra",
    "imports",
    "resume",
    "resume_changed",
    "paths",
    "name",
    "folder",
    "report",
    "evaluate",
}  # do not change what is computed
PACKAGES = ("torch", "torchvision", "pytorch-lightning", "torchmetrics", "hydra-core", "numpy")
# Say how the job is done, not what is computed
NEUTRAL = {
    "loader.num_workers",
    *(f"trainer.{key}" for key in ("accelerator", "devices", "num_nodes", "strategy")),
}
DATA_PLACES = ("root", "folder", "drawn", "boxes", "metadata", "masks", "blacklist", "cache")
# Keys that name a place, written down as absolute ones
PLACES = (
    *("paths.data", "paths.runs", "folder", "run", "predictions", "maps", "synsets"),
    *(f"data.{key}" for key in DATA_PLACES),
)


def run_id(*, _root_: DictConfig) -> str:
    """Derive a run's id from what it computes.

    Every process of a run, and every try of it, so finds the same folder.
    """
    job = {name: _root_._get_node(name) for name in _root_ if name not in NOT_THE_JOB}
    unresolved: Any = OmegaConf.to_container(OmegaConf.create(job), resolve=False)
    found = ["batch_size"] if unresolved.get("trainer", {}).get("auto_batch") is True else []
    for key in ("num_workers", *found):  # whoever reads the images, in batches that are yet unknown
        unresolved.get("loader", {}).pop(key, None)
    return hashlib.sha256(json.dumps(unresolved, sort_keys=True).encode()).hexdigest()[:8]


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
        checkpoint = read_trained(run).get("checkpoint", BEST)
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
    for key in PLACES:
        place = OmegaConf.select(placed, key)
        if place is not None and "://" not in str(place):  # a URL is a place everywhere
            OmegaConf.update(placed, key, str(Path(place).absolute()))
    return DictConfig(placed)


def check_same(folder: Path, cfg: DictConfig, *, advice: str) -> None:
    """Refuse to take up what was begun by another configuration; name the differences."""
    begun, now = _flat(read_trained(folder)), _flat(_placed(cfg))
    others = [
        f"{key}={begun.get(key)}, not {now.get(key)}"
        for key in sorted(now.keys() | begun.keys())
        if key not in NEUTRAL and begun.get(key) != now.get(key)
    ]
    if others:
        raise GapnetError(f"folder {folder}: was begun with {'; with '.join(others)}; {advice}")


def _flat(node: DictConfig, prefix: str = "") -> dict[str, Any]:
    """List the values of a configuration by their full keys, but for what is not the job."""
    values: dict[str, Any] = {}
    for name in map(str, node):
        if prefix or name not in NOT_THE_JOB:
            value = node[name]
            key = f"{prefix}{name}"
            values |= _flat(value, f"{key}.") if isinstance(value, DictConfig) else {key: value}
    return values


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
