"""Predict splits into a folder, over one process or several, from the start or what is left."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from gapnet.config.assemble import Rules, predicting_trainer
from gapnet.config.job_identity import node_identity
from gapnet.data.loading.datamodule import DataModule
from gapnet.errors import GapnetError
from gapnet.evaluation.identities import batches_identity, network_identity
from gapnet.evaluation.predict import (
    Job,
    KeptMaps,
    Predictor,
    digest_of_data,
    digest_of_weights,
)
from gapnet.evaluation.predictions import Predictions, align
from gapnet.evaluation.store import About, Writer, done, read_parts
from gapnet.jobs.labels import told_by
from gapnet.models.gapnet import GapNet
from gapnet.runs.identity import identity_of
from gapnet.runs.layout import MAPS, PREDICTIONS
from gapnet.system.distributed import meet

log = logging.getLogger(__name__)
NATIVE = "native"


@dataclass(frozen=True)
class Subject:
    """Hold what is evaluated: a network, the data, the rules, and where the outcome goes."""

    network: GapNet
    data: DataModule
    rules: Rules
    folder: Path
    checkpoint: Path


def predict(cfg: DictConfig, subject: Subject, splits: Sequence[str]) -> dict[str, Predictions]:
    """Predict splits into the folder, and read back what was written."""
    jobs, loaders = [], []
    trainer = predicting_trainer(cfg)
    weights = digest_of_weights(subject.network)
    for split in splits:
        records = subject.data.records(split)
        about = about_of(cfg, subject, split, weights, device=trainer.strategy.root_device.type)
        place = subject.folder / PREDICTIONS / split
        finished = done(place, about) if cfg.get("resume", False) else set()
        left = sum(each not in finished for each in records.ids)
        log.info(
            "predicting %s: %d images%s, %s",
            split,
            left,
            " that are missing" * bool(finished),
            _passes(subject, left),
        )
        if left:
            kept = _kept(cfg, subject.folder / MAPS / split)
            jobs.append(Job(records, Writer(place, about), kept))
            loaders.append(subject.data.loader(split, done=finished))
    if jobs:
        predictor = Predictor(subject.network, subject.rules.localizer, jobs)
        trainer.predict(predictor, loaders, return_predictions=False)
    meet()
    return {
        split: read_aligned(subject.folder / PREDICTIONS / split, subject.data.records(split).ids)
        for split in splits
    }


def _passes(subject: Subject, images: int) -> str:
    """Say how much there is to do."""
    each = subject.rules.localizer.passes(subject.network)
    return f"{images * each:,} passes through the network"


def read_aligned(folder: Path, ids: Sequence[str]) -> Predictions:
    """Read predictions in the order of ids."""
    return align(Predictions(*read_parts(folder)), ids)


def about_of(cfg: DictConfig, subject: Subject, split: str, weights: str, *, device: str) -> About:
    """Say what predictions will be made of and by."""
    boxer = subject.rules.localizer.boxer
    view: Any = OmegaConf.to_container(cfg.view, resolve=True)
    shown, network = node_identity(view, cfg.imports), subject.network
    size, precision = cfg.loader.batch_size, str(cfg.trainer.precision)
    told = told_by(subject.data.source) or {}
    return About(
        split=split,
        classes=tuple(subject.data.source.classes),
        network=f"{subject.network.name} {subject.network.arguments}",
        rules=str(subject.rules.localizer),
        cut=boxer.cut,
        cuts=tuple(boxer.thresholds()),
        weights=weights,
        data=digest_of_data(subject.data.records(split)),
        batches=f"{view} {size} a batch, {precision} on {device}",
        numbers=tuple(sorted(told, key=told.__getitem__)),
        identity={
            "network": network_identity(network.name, network.arguments),
            "rules": identity_of(subject.rules.localizer),
            "batches": batches_identity(shown, size, precision, device),
        },
    )


def _kept(cfg: DictConfig, folder: Path) -> KeptMaps | None:
    """Keep maps only where that is asked for."""
    keep = cfg.get("keep_maps")
    if keep is None:
        return None
    return KeptMaps(folder, None if keep == NATIVE else keep)


def check_keep(keep: object) -> None:
    """Refuse a way to keep maps that there is not."""
    if keep not in (None, NATIVE) and not (type(keep) is int and keep > 0):
        raise GapnetError(f"keep_maps={keep}: must be null, {NATIVE} or a side in cells (14)")
