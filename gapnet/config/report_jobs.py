"""Make the page that compares runs from a configuration; run folders are not trusted."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from gapnet.config.build import build
from gapnet.config.jobs import data_maker
from gapnet.config.own_modules import check_network_imported
from gapnet.config.run_groups import groups_of
from gapnet.config.score_jobs import rules_of
from gapnet.errors import GapnetError
from gapnet.evaluation.compare import read_verdicts
from gapnet.jobs.compared_run import ComparedRun
from gapnet.jobs.report_job import ReportJob
from gapnet.runs.folder import find_checkpoint, find_run
from gapnet.runs.layout import VERDICTS
from gapnet.runs.saved_config import read_saved_config

LEAST = 2  # runs
NO_NETWORK = ("predictions", "maps")  # an evaluation of these has no network


def report_job(cfg: DictConfig) -> ReportJob:
    """Return the page that a configuration describes."""
    folders = check_runs(cfg.runs)
    names = _names(folders, cfg.names)
    return ReportJob(
        runs=[_run(folder, name, cfg) for folder, name in zip(folders, names, strict=True)],
        source=partial(build, cfg, "data"),
        path=_page(cfg.to),
        images=cfg.images,
        resamples=cfg.resamples,
        seed=cfg.seed,
    )


def _page(to: object) -> Path:
    """Return the file of the page, whose folder must be there."""
    if to is None:
        raise GapnetError("to=null: name the file of the page: to=comparison.html")
    path = Path(str(to))
    if path.is_dir() or not path.parent.is_dir():
        problem = "is a folder" if path.is_dir() else f"there is no folder {path.parent}"
        raise GapnetError(f"to={path}: {problem}; name a file in a folder")
    return path


def check_runs(runs: object) -> list[Path]:
    """Return the folders of at least two runs that were evaluated, all of them different."""
    if not isinstance(runs, Sequence) or isinstance(runs, str) or len(runs) < LEAST:
        raise GapnetError(f"runs={runs}: name two or more run folders: gapnet report RUN_A RUN_B")
    folders = [Path(str(run)) for run in runs]
    resolved = [folder.resolve() for folder in folders]
    for folder, path in zip(folders, resolved, strict=True):
        if resolved.count(path) > 1:
            raise GapnetError(f"runs={runs}: {folder} is named twice; name different runs")
        read_verdicts(folder / VERDICTS)
        find_run(str(folder))
    return folders


def _names(folders: Sequence[Path], names: Any) -> list[str]:
    """Return the name of each run: one that the user chose, or that of its training.

    If these are not different, it is the part of the path that is not common to all folders.
    """
    if names:
        if len(set(names)) != len(folders) or isinstance(names, str):
            raise GapnetError(f"names={names}: must be {len(folders)} different names, one per run")
        return list(map(str, names))
    saved = [str(read_saved_config(folder).get("name", "")) for folder in folders]
    if all(saved) and len(set(saved)) == len(folders):
        return saved
    paths = [folder.resolve() for folder in folders]
    shared = Path(os.path.commonpath(path.parent for path in paths))
    return [path.relative_to(shared).as_posix() for path in paths]


def _run(folder: Path, name: str, cfg: DictConfig) -> ComparedRun:
    """Return a run with the rules by which it was evaluated."""
    groups = groups_of(folder, cfg.imports)
    own = OmegaConf.create({**groups, "paths": cfg.paths, "imports": cfg.imports})
    return ComparedRun(
        name=name,
        folder=folder,
        checkpoint=_checkpoint(folder),
        data=data_maker(own),
        rules=rules_of(own),
    )


def _checkpoint(folder: Path) -> Path:
    """Return the checkpoint that a training or an evaluation evaluated."""
    saved = read_saved_config(folder)
    for key in NO_NETWORK:
        if saved.get(key) is not None:
            raise GapnetError(
                f"{folder}: scores {key}={saved[key]}, without a network, so there are no maps to "
                "show; name a run, or an evaluation with run=..."
            )
    if "run" not in saved:
        check_network_imported(folder)
        return find_checkpoint(folder, None)
    run = find_run(saved["run"], saved["checkpoint"])
    check_network_imported(run)
    return find_checkpoint(run, saved["checkpoint"])
