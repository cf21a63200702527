"""Make jobs that look at single units from a configuration."""

from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from gapnet.config.build import build
from gapnet.config.job_identity import node_identity
from gapnet.config.jobs import data_maker, trainer_maker
from gapnet.config.own_modules import check_network_imported
from gapnet.config.score_jobs import run_of
from gapnet.config.transfer_jobs import network_choice
from gapnet.dissection.dissect import Dissection
from gapnet.jobs.dissect_job import DissectJob
from gapnet.jobs.units_job import UnitsJob
from gapnet.runs.folder import find_run


def dissect_job(cfg: DictConfig) -> DissectJob:
    """Return the dissection that a configuration describes."""
    run = find_run(cfg.run, cfg.checkpoint)
    check_network_imported(run)
    view: Any = OmegaConf.to_container(cfg.view, resolve=True)
    return DissectJob(
        run=run_of(cfg, "dissect"),
        network=network_choice(cfg),
        source=partial(build, cfg, "data"),
        data=data_maker(cfg),
        dissection=_dissection(cfg),
        trainer=trainer_maker(cfg),
        precision=str(cfg.trainer.precision),
        view=node_identity(view, cfg.imports),
        split=cfg.split,
        resume=cfg.resume,
        of_run=run,
    )


def units_job(cfg: DictConfig) -> UnitsJob:
    """Return the search for class-specific units that a configuration describes."""
    run = find_run(cfg.run, cfg.checkpoint)
    check_network_imported(run)
    classes = cfg.classes if isinstance(cfg.classes, ListConfig) else [cfg.classes]
    return UnitsJob(
        run=run_of(cfg, "units"),
        network=network_choice(cfg),
        source=partial(build, cfg, "data"),
        data=data_maker(cfg),
        classes=tuple(classes),
        units=cfg.units,
        images=cfg.images,
        cut=cfg.cut,
        trainer=trainer_maker(cfg),
        split=cfg.split,
        resume=cfg.resume,
        of_run=run,
    )


def results_of(cfg: DictConfig) -> list[Path]:
    """Return the tables that are recounted."""
    results = cfg.results if isinstance(cfg.results, ListConfig) else [cfg.results]
    return [Path(str(path)) for path in results]


def _dissection(cfg: DictConfig) -> Dissection:
    layers = cfg.layers if isinstance(cfg.layers, ListConfig) else [cfg.layers]
    return Dissection(
        layers=tuple(str(layer) for layer in layers),
        share=cfg.share,
        min_iou=cfg.min_iou,
        rotations=cfg.rotations,
        top=cfg.images,
        side=cfg.side,
        memory_gb=cfg.memory_gb,
        keep_gb=cfg.keep_gb,
    )
