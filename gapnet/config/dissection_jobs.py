"""Make jobs that look at single units from a configuration."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from gapnet.config.job_identity import node_identity
from gapnet.config.jobs import trainer_maker
from gapnet.config.network_jobs import network_fields
from gapnet.dissection.dissect import Dissection
from gapnet.jobs.dissect_job import DissectJob
from gapnet.jobs.units_job import UnitsJob


def dissect_job(cfg: DictConfig) -> DissectJob:
    """Return the dissection that a configuration describes."""
    shared = network_fields(cfg, "dissect")
    view: Any = OmegaConf.to_container(cfg.view, resolve=True)
    return DissectJob(
        **shared,
        dissection=_dissection(cfg),
        trainer=trainer_maker(cfg),
        precision=str(cfg.trainer.precision),
        view=node_identity(view, cfg.imports),
        split=cfg.split,
    )


def units_job(cfg: DictConfig) -> UnitsJob:
    """Return the search for class-specific units that a configuration describes."""
    classes = cfg.classes if isinstance(cfg.classes, ListConfig) else [cfg.classes]
    return UnitsJob(
        **network_fields(cfg, "units"),
        classes=tuple(classes),
        units=cfg.units,
        images=cfg.images,
        cut=cfg.cut,
        trainer=trainer_maker(cfg),
        split=cfg.split,
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
