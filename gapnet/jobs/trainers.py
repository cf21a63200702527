"""Lightning's trainers, as gapnet's jobs use them."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback, ModelCheckpoint

from gapnet.errors import GapnetError
from gapnet.jobs.resume import Start
from gapnet.runs.layout import CHECKPOINTS, CURVES, LOGS
from gapnet.system.progress import console
from gapnet.system.value_checks import whole_number
from gapnet.training.callbacks import EpochLines
from gapnet.training.checkpoint import DurableIO
from gapnet.training.lightning_internals import ignore_signals, spawns_ranks
from gapnet.training.logged_images import ImageLog
from gapnet.training.logger_choice import LoggerChoice, TensorBoard
from gapnet.training.metrics_csv import Curves
from gapnet.training.progress_bar import StageBar
from gapnet.training.progress_lines import MinuteLines
from gapnet.training.speed import SpeedLog

MakeTrainer = Callable[..., pl.Trainer]


@dataclass(frozen=True)
class Tracking:
    """What a training logs besides metrics.csv.

    Args:
        loggers: that are chosen.
        images: number of validation images that are drawn after each validation.
        group: name under which loggers group this run with others.
        hyperparameters: that loggers show.
    """

    loggers: Sequence[LoggerChoice] = (TensorBoard(),)
    images: int = 8
    group: str | None = None
    hyperparameters: Mapping[str, bool | float | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the values."""
        whole_number("trainer.log_images", self.images)

    def callbacks(self) -> list[Callback]:
        """Return the callbacks that log; there are none without a logger."""
        if not self.loggers:
            return []
        return [*([ImageLog(self.images)] if self.images else []), SpeedLog()]


def training_trainer(
    make: MakeTrainer,
    callbacks: Sequence[Callback],
    tracking: Tracking,
    *,
    folder: Path,
    start: Start,
) -> pl.Trainer:
    """Make the trainer that trains into a run folder."""
    for callback in callbacks:
        if isinstance(callback, ModelCheckpoint):
            callback.dirpath = str(folder / CHECKPOINTS)
    chosen = [choice.make(folder / LOGS, step=start.step) for choice in tracking.loggers]
    lines = [] if console.is_terminal else [EpochLines()]
    return _make(
        make,
        [*tracking.callbacks(), *callbacks, *lines],
        logger=[*chosen, Curves(folder / CURVES, text=start.curves)],
        default_root_dir=folder,
        plugins=[DurableIO()],
    )


def predicting_trainer(make: MakeTrainer) -> pl.Trainer:
    """Make the trainer that predicts: it logs nothing and saves nothing."""
    return _make(make, [], logger=False, enable_checkpointing=False)


def _make(make: MakeTrainer, callbacks: Sequence[Callback], **options: Any) -> pl.Trainer:
    trainer = make(
        callbacks=[*callbacks, StageBar() if console.is_terminal else MinuteLines()],
        enable_progress_bar=False,  # Lightning's takes several lines
        enable_model_summary=False,
        use_distributed_sampler=False,
        **options,
    )
    ignore_signals(trainer)
    if spawns_ranks(trainer):
        raise GapnetError("trainer.strategy: ddp_spawn and ddp_fork are not supported; use ddp")
    _check_world_size(trainer)
    return trainer


def _check_world_size(trainer: pl.Trainer) -> None:
    """Refuse a number of started processes that the trainer would not connect."""
    processes = trainer.num_devices * trainer.num_nodes
    started = int(os.environ.get("WORLD_SIZE", "1"))
    if started > 1 and processes != started:
        raise GapnetError(
            f"trainer.devices={trainer.num_devices}, trainer.num_nodes={trainer.num_nodes}: "
            f"{started} processes were started (WORLD_SIZE); devices x num_nodes must be {started}"
        )
