"""From configuration to the objects that both commands need."""

import logging
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
from omegaconf import DictConfig
from pytorch_lightning.callbacks import Callback, ModelCheckpoint, RichProgressBar
from pytorch_lightning.loggers import CSVLogger, TensorBoardLogger

from gapnet.cli.config import build
from gapnet.data.datamodule import DataModule
from gapnet.data.sample import Source
from gapnet.errors import GapnetError
from gapnet.evaluation.protocols import Protocol
from gapnet.layout import CHECKPOINTS
from gapnet.localization.localizer import Localizer
from gapnet.models.gapnet import GapNet
from gapnet.progress import console
from gapnet.training.callbacks import EpochLines

LOGS = "logs"  # the folder of a run that holds what TensorBoard and plots read


def quiet_lightning() -> None:
    """Keep Lightning's advice and greetings out of the output; its errors still come through."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="(pytorch_lightning|lightning_fabric)")


def data_of(cfg: DictConfig, source: Source, network: GapNet, localizer: Localizer) -> DataModule:
    """Serve a source's splits at the sizes that the network and its crops take."""
    module: DataModule = build(
        cfg,
        "loader",
        source=source,
        input_size=network.facts.input_size,
        canvas=localizer.crops.canvas(network.facts.input_size),
        view=build(cfg, "view"),
        augment=build(cfg, "augment") if "augment" in cfg else None,
        seed=cfg.get("seed", 0),
    )
    return module


class Rules(NamedTuple):
    """Hold how boxes are found, and what counts as right."""

    localizer: Localizer
    protocols: tuple[Protocol, ...]


def rules_of(cfg: DictConfig) -> Rules:
    """Make the rules of an evaluation."""
    if not (isinstance(cfg.report.images, int) and cfg.report.images >= 0):
        raise GapnetError(f"report.images={cfg.report.images}: must be a whole number from 0 on")
    parts = (build(cfg, key) for key in ("saliency", "boxer", "guesses", "crops"))
    localizer = Localizer(*parts)
    return Rules(localizer, protocols_of(cfg))


def protocols_of(cfg: DictConfig) -> tuple[Protocol, ...]:
    """Make the protocols, of which the first counts."""
    built = build(cfg, "protocol")
    return built if isinstance(built, tuple) else (built,)


def training_trainer(cfg: DictConfig, batches: int) -> pl.Trainer:
    """Make the trainer that trains into the run folder; it logs at least once in `batches`."""
    folder = Path(cfg.folder)
    callbacks = list(build(cfg, "callbacks").values())
    for callback in callbacks:
        if isinstance(callback, ModelCheckpoint):
            callback.dirpath = str(folder / CHECKPOINTS)
    logs = folder / LOGS
    loggers = [
        TensorBoardLogger(logs, name=None, version=""),
        CSVLogger(logs, name=None, version=""),
    ]
    callbacks += [] if console.is_terminal else [EpochLines()]
    steps = -(-batches // cfg.trainer.accumulate_grad_batches)
    every = min(cfg.trainer.log_every_n_steps, steps)
    trainer = _trainer(cfg, callbacks, logger=loggers, log_every_n_steps=every)
    if trainer.world_size > 1:
        raise GapnetError(
            f"trainer.devices: {trainer.world_size} processes are more than gapnet can train "
            "with as yet; set trainer.devices=1"
        )
    return trainer


def predicting_trainer(cfg: DictConfig) -> pl.Trainer:
    """Make the trainer that predicts: it logs nothing and saves nothing.

    Its processes are children of this one, which goes on alone when they are done.
    """
    strategy = {} if cfg.trainer.devices == 1 else {"strategy": "ddp_spawn"}
    return _trainer(
        cfg,
        [],
        logger=False,
        enable_checkpointing=False,
        use_distributed_sampler=False,
        **strategy,
    )


def _trainer(cfg: DictConfig, callbacks: list[Callback], **extra: Any) -> pl.Trainer:
    watched = console.is_terminal
    bar = [RichProgressBar(leave=True)] if watched else []
    trainer: pl.Trainer = build(
        cfg,
        "trainer",
        callbacks=callbacks + bar,
        enable_progress_bar=watched,
        enable_model_summary=False,
        **extra,
    )
    return trainer
