"""Search hyper-parameters: many trainings, compared on the validation split."""

import hashlib
import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from gapnet.config.build import build
from gapnet.config.groups import SHARED_BY_SEARCHES
from gapnet.config.overrides import (
    key_of,
    own_keys,
    quoted,
    refuse_secrets,
    refuse_sweep,
    root_of,
    split,
)
from gapnet.errors import GapnetError
from gapnet.studies.search.space import Dimension, examples_of, space_of
from gapnet.studies.search.trials import VALIDATION, Objective
from gapnet.system.folders import check_inside, check_length
from gapnet.text.redact import is_secret, redact, redact_arguments

if TYPE_CHECKING:
    from optuna.pruners import BasePruner

SEARCHES = "searches"  # the folder in RUNS
DIRECTIONS = ("minimise", "maximise")


def complete(arguments: list[str]) -> list[str]:
    """Make a list of what the search does not take itself: it is for the trainings."""
    if {"-m", "--multirun"} & set(arguments):
        raise GapnetError("-m: a search is no sweep; what is to be tried stands in search=...")
    own = own_keys("search")
    kept, _ = split(arguments, own)
    told = [each for each in arguments if root_of(each) not in {None, *own} - SHARED_BY_SEARCHES]
    refuse_secrets(told)
    for each in told:
        key = each.partition("=")[0].lstrip("+")
        refuse_sweep(each, f"all trials share one value; to have it searched, +search.{key}=[...]")
    return [*kept, f"train=[{','.join(map(quoted, told))}]"]


def task(cfg: DictConfig) -> None:
    """Run trials until enough are finished, by this worker and others; then report."""
    _require_optuna()
    from gapnet.studies.search.report import conclude
    from gapnet.studies.search.study import check_fresh, open_study, work

    _check(cfg)
    space = space_of(_plain(cfg.search))
    told = [str(each) for each in _plain(cfg.train)]
    trained = _compose(told, space)
    searched = _searched(cfg, told)
    name = _name(cfg, searched)
    folder = (Path(cfg.paths.runs) / SEARCHES / name).absolute()
    check_length(folder)
    check_inside(folder, Path(cfg.paths.runs))
    folder.mkdir(parents=True, exist_ok=True)
    url = cfg.storage or f"sqlite:///{folder / 'study.db'}"
    study = open_study(url, name, direction=cfg.direction, pruner=_pruner(cfg), searched=searched)
    check_fresh(study, folder)
    objective = Objective(folder, told, space, cfg.metric, trained.checkpoint, cfg.n_trials)
    try:
        work(study, objective, seed=cfg.seed)
    except KeyboardInterrupt:
        raise GapnetError("interrupted; the same command goes on") from None
    conclude(study, objective, shlex.join(["python", "train.py", *redact_arguments(told)]))


def _require_optuna() -> None:
    try:
        import optuna  # noqa: F401
        import plotly  # noqa: F401
        import sklearn  # noqa: F401
    except ImportError as error:
        raise GapnetError(f"{error.name} is not installed: pip install '.[search]'") from error


def _check(cfg: DictConfig) -> None:
    if cfg.storage is not None:
        _check_storage(str(cfg.storage))
    if type(cfg.n_trials) is not int or cfg.n_trials < 1:
        raise GapnetError(f"n_trials={cfg.n_trials}: must be a whole number from 1 on")
    if type(cfg.seed) is not int or cfg.seed < 0:
        raise GapnetError(f"seed={cfg.seed}: must be a whole number from 0 on")
    if cfg.direction not in DIRECTIONS:
        raise GapnetError(f"direction={cfg.direction}: must be {' or '.join(DIRECTIONS)}")
    if not str(cfg.metric).startswith(VALIDATION):
        raise GapnetError(
            f"metric={cfg.metric}: a search looks at the validation split only, so a metric "
            f"begins with {VALIDATION}"
        )
    if cfg.name is not None and Path(str(cfg.name)).name != str(cfg.name):
        raise GapnetError(f"name={cfg.name}: must be a folder's name, not a path")


def _check_storage(url: str) -> None:
    """Refuse a password, which would end up in the files of every trial."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parts = make_url(url)
    except ArgumentError:
        return  # whoever opens it says what is wrong
    if parts.password is not None or any(map(is_secret, parts.query)):
        raise GapnetError(
            f"storage={redact(url)}: must have no password in it; put it into PGPASSWORD or "
            "~/.pgpass (PostgreSQL), or an option file (MySQL: ?read_default_file=~/.my.cnf)"
        )


def _plain(node: Any) -> Any:
    """Give a node as it was written: what is interpolated in it is for the trainings."""
    return OmegaConf.to_container(node, resolve=False)


def _compose(told: list[str], space: dict[str, Dimension]) -> DictConfig:
    """Compose what the trials will train with, so that a wrong key shows before any does."""
    from hydra import compose

    if not space:
        raise GapnetError("search: is empty; name a space such as search=lr_wd")
    given = set(map(key_of, told))
    for key in space.keys() & given:
        raise GapnetError(f"{key}: is both given and searched; leave out one of them")
    for chosen in examples_of(space):
        trained = compose("train", [*told, *chosen])
    return trained


def _searched(cfg: DictConfig, told: list[str]) -> dict[str, Any]:
    """Gather what tells a search from others; where things lie does not."""
    job = sorted(each for each in told if root_of(each) != "paths")
    keys = ("search", "metric", "direction", "seed", "prune")
    return {"train": job, **{key: _plain(cfg)[key] for key in keys}}


def _name(cfg: DictConfig, searched: dict[str, Any]) -> str:
    from hydra.core.hydra_config import HydraConfig

    if cfg.name is not None:
        return str(cfg.name)
    choice = HydraConfig.get().runtime.choices["search"]
    digest = hashlib.sha256(json.dumps(searched, sort_keys=True).encode()).hexdigest()
    return f"{choice}-{digest[:8]}"


def _pruner(cfg: DictConfig) -> "BasePruner":
    from optuna.pruners import NopPruner

    if cfg.prune is None:
        return NopPruner()
    pruner: BasePruner = build(cfg, "prune")
    return pruner
