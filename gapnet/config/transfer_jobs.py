"""Make the jobs of features and linear SVMs from a configuration."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from gapnet.config.job_identity import node_identity
from gapnet.config.jobs import evaluation_of, trainer_maker
from gapnet.config.network_jobs import network_fields
from gapnet.config.score_jobs import run_of
from gapnet.errors import GapnetError
from gapnet.jobs.features import Extraction, FeaturesJob
from gapnet.jobs.svm import SvmJob
from gapnet.jobs.transfer import TransferJob
from gapnet.transfer.fitting import Fitting
from gapnet.transfer.layers import Layer


def features_job(cfg: DictConfig) -> FeaturesJob:
    """Return the extraction of features that a configuration describes."""
    return FeaturesJob(
        **network_fields(cfg, "features"),
        extraction=extraction_of(cfg, _texts(cfg, "layer")),
        splits=None if cfg.splits is None else _texts(cfg, "splits"),
    )


def transfer_job(cfg: DictConfig) -> TransferJob:
    """Return the transfer that a configuration describes."""
    return TransferJob(
        **network_fields(cfg, "transfer"),
        extraction=extraction_of(cfg, _texts(cfg, "layer")),
        evaluation=evaluation_of(cfg),
        fitting=fitting_of(cfg),
        region=cfg.region,
        train_crops=cfg.train_crops,
    )


def svm_job(cfg: DictConfig) -> SvmJob:
    """Return the training of an SVM that a configuration describes."""
    return SvmJob(
        run=run_of(cfg, "svm"),
        features=Path(cfg.features),
        layer=cfg.layer,
        train_split=cfg.train_split,
        test_split=cfg.test_split,
        fitting=fitting_of(cfg),
    )


def fitting_of(cfg: DictConfig) -> Fitting:
    """Return how SVMs are trained."""
    costs = tuple(cfg.C) if isinstance(cfg.C, ListConfig) else (cfg.C,)
    return Fitting(costs, cfg.folds, cfg.iterations, seed=cfg.seed)


def extraction_of(cfg: DictConfig, layers: tuple[str, ...]) -> Extraction:
    """Return how features are extracted."""
    view: Any = OmegaConf.to_container(cfg.view, resolve=True)
    return Extraction(
        layers=tuple(map(Layer.of, layers)),
        trainer=trainer_maker(cfg),
        precision=str(cfg.trainer.precision),
        view=node_identity(view, cfg.imports),
    )


def _texts(cfg: DictConfig, key: str) -> tuple[str, ...]:
    """Return a key's value, a text or a list of texts."""
    value = cfg[key]
    texts = list(value) if isinstance(value, ListConfig) else [value]
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise GapnetError(f"{key}={value}: must be a name, or a list of names")
    return tuple(texts)
