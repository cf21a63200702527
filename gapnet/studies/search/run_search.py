"""Run a search: trials until enough are finished, then a report."""

import hashlib
import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra import compose
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from optuna.pruners import BasePruner, NopPruner

from gapnet.config.build import build
from gapnet.config.overrides import config_dir_flags, override_key, root_of
from gapnet.errors import GapnetError
from gapnet.studies.search.report import SearchReport, report_search
from gapnet.studies.search.settings import check_search_settings
from gapnet.studies.search.space import Dimension, examples_of, space_of
from gapnet.studies.search.study import check_fresh, open_study, run_trials
from gapnet.studies.search.trials import Objective
from gapnet.system.folders import check_inside, check_length
from gapnet.text.redact import redact_arguments

SEARCHES = "searches"  # the folder of searches in RUNS
SETTINGS = ("search", "metric", "direction", "seed", "prune")  # keys that tell searches apart


def run_search(cfg: DictConfig) -> SearchReport:
    """Run trials until this worker and others have finished enough; return the report."""
    check_search_settings(cfg)
    space = space_of(_as_written(cfg.search))
    shared = [str(override) for override in _as_written(cfg.train)]
    checkpoint = _compose_training(shared, space).checkpoint
    settings = _settings(cfg, shared)
    name = _name(cfg, settings)
    folder = _make_folder(Path(cfg.paths.runs), name)
    url = cfg.storage or f"sqlite:///{folder / 'study.db'}"
    study = open_study(url, name, direction=cfg.direction, pruner=_pruner(cfg), settings=settings)
    check_fresh(study, folder)
    flags = config_dir_flags()
    objective = Objective(folder, shared, space, cfg.metric, checkpoint, cfg.n_trials, flags)
    try:
        run_trials(study, objective, seed=cfg.seed)
    except KeyboardInterrupt:
        raise GapnetError("interrupted; run the same command to continue") from None
    command = shlex.join(["gapnet", "train", *flags, *redact_arguments(shared)])
    return report_search(study, objective, command)


def _as_written(node: DictConfig) -> Any:
    """Return the values of a node; interpolations are left to the trainings."""
    return OmegaConf.to_container(node, resolve=False)


def _compose_training(shared: Sequence[str], space: Mapping[str, Dimension]) -> DictConfig:
    """Compose trainings with every value of the space, so that a wrong key shows at once."""
    if not space:
        raise GapnetError("search: is empty; name a space such as search=lr_wd")
    for key in space.keys() & set(map(override_key, shared)):
        raise GapnetError(f"{key}: is set and searched; leave out one of them")
    for chosen in examples_of(space):
        composed = compose("train", [*shared, *chosen])
    return composed


def _settings(cfg: DictConfig, shared: Sequence[str]) -> dict[str, Any]:
    """Return what tells a search from others, without the places of its files."""
    values = _as_written(cfg)
    train = sorted(override for override in shared if root_of(override) != "paths")
    return {"train": train, **{key: values[key] for key in SETTINGS}}


def _name(cfg: DictConfig, settings: dict[str, Any]) -> str:
    """Return the name of a search whose settings have none."""
    if cfg.name is not None:
        return str(cfg.name)
    choice = HydraConfig.get().runtime.choices["search"]
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
    return f"{choice}-{digest[:8]}"


def _make_folder(runs: Path, name: str) -> Path:
    folder = (runs / SEARCHES / name).absolute()
    check_length(folder)
    check_inside(folder, runs)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _pruner(cfg: DictConfig) -> BasePruner:
    if cfg.prune is None:
        return NopPruner()
    pruner: BasePruner = build(cfg, "prune")
    return pruner
