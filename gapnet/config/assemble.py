"""From configuration to the objects that both commands need."""

import logging
import os
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.callbacks import Callback, ModelCheckpoint, RichProgressBar

from gapnet.config.build import build
from gapnet.data.loading.datamodule import DataModule
from gapnet.data.sample import Source
from gapnet.errors import GapnetError
from gapnet.evaluation.protocols import Protocol
from gapnet.jobs.resume import Start
from gapnet.localization.localizer import Localizer
from gapnet.models.gapnet import GapNet
from gapnet.runs.layout import CHECKPOINTS, CURVES, LOGS
from gapnet.system.progress import console
from gapnet.system.ranks import is_first, started_together
from gapnet.training.callbacks import EpochLines
from gapnet.training.checkpoint import DurableIO
from gapnet.training.lightning_internals import ignore_signals, spawns_ranks
from gapnet.training.metrics_csv import Curves
from gapnet.training.tensorboard import Board

AUTO_BATCH = "auto_batch"  # a key of the trainer that is ours


def quiet_lightning() -> None:
    """Keep Lightning's advice and greetings out of the output; its errors still come through."""
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    if not is_first():
        logging.getLogger().setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="(pytorch_lightning|lightning_fabric|torchmetrics)")


def data_of(
    cfg: DictConfig, source: Source, network: GapNet, localizer: Localizer, *, processes: int = 1
) -> DataModule:
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
        processes=processes,
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


def training_trainer(cfg: DictConfig, start: Start) -> pl.Trainer:
    """Make the trainer that trains into the run folder."""
    folder = Path(cfg.folder).absolute()
    callbacks = list(build(cfg, "callbacks").values())
    for callback in callbacks:
        if isinstance(callback, ModelCheckpoint):
            callback.dirpath = str(folder / CHECKPOINTS)
    loggers = [
        Board(folder / LOGS, purge_step=start.step),
        Curves(folder / CURVES, text=start.curves),
    ]
    callbacks += [] if console.is_terminal else [EpochLines()]
    return _trainer(
        cfg,
        callbacks,
        logger=loggers,
        default_root_dir=folder,
        use_distributed_sampler=False,
        plugins=[DurableIO()],
    )


def predicting_trainer(cfg: DictConfig) -> pl.Trainer:
    """Make the trainer that predicts: it logs nothing and saves nothing."""
    return _trainer(
        cfg, [], logger=False, enable_checkpointing=False, use_distributed_sampler=False
    )


def _trainer(cfg: DictConfig, callbacks: list[Callback], **extra: Any) -> pl.Trainer:
    watched = console.is_terminal
    bar = [RichProgressBar(leave=True)] if watched else []
    told: Any = OmegaConf.to_container(cfg.trainer, resolve=True)
    told.pop(AUTO_BATCH, None)
    trainer: pl.Trainer = build(
        OmegaConf.create({"trainer": told}),
        "trainer",
        callbacks=callbacks + bar,
        enable_progress_bar=watched,
        enable_model_summary=False,
        **extra,
    )
    ignore_signals(trainer)
    if spawns_ranks(trainer):
        raise GapnetError(f"trainer.strategy={cfg.trainer.strategy}: not supported; use ddp")
    _check_processes(trainer)
    return trainer


def ranks_of(trainer: pl.Trainer) -> int:
    """Return how many ranks are to be started on this machine."""
    if trainer.num_nodes > 1:
        raise GapnetError(
            f"trainer.num_nodes={trainer.num_nodes}: start it with torchrun or srun on each of the "
            "machines, by which their processes find each other; on this one alone: "
            "trainer.num_nodes=1"
        )
    return int(trainer.num_devices)


def connect(trainer: pl.Trainer) -> None:
    """Connect with the other processes, if a launcher has started them."""
    if started_together():
        trainer.strategy.setup_environment()


def _check_processes(trainer: pl.Trainer) -> None:
    """Refuse a launcher's processes that Lightning would have train one beside the other."""
    wanted = trainer.num_devices * trainer.num_nodes
    started = int(os.environ.get("WORLD_SIZE", "1"))
    if started > 1 and wanted != started:
        raise GapnetError(
            f"trainer.devices={trainer.num_devices}, trainer.num_nodes={trainer.num_nodes}: "
            f"{started} processes were started (WORLD_SIZE); their product must be as many"
        )
