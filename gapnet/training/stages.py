"""Stages of training and prediction: their progress, speed and remaining time."""

import math
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytorch_lightning as pl

from gapnet.data.sample import Batch


@dataclass
class Stage:
    """A part of the work, such as an epoch: its number of batches, and how many are done.

    `stays` says whether its bar stays on the screen.
    """

    name: str
    batches: float
    stays: bool = True
    done: int = 0
    images: int = 0
    started: float = field(default_factory=lambda: time.monotonic())  # noqa: PLW0108  (tests set it)

    @property
    def seconds(self) -> float:
        """Return the time since the start."""
        return time.monotonic() - self.started

    @property
    def speed(self) -> str:
        """Return the number of images per second; an empty string before the first batch."""
        return f"{self.images / self.seconds:.0f} images/s" if self.images and self.seconds else ""

    @property
    def left(self) -> str:
        """Return how long the rest takes; an empty string if this is not known."""
        if not self.done or math.isinf(self.batches):
            return ""
        seconds = self.seconds * max(0, self.batches - self.done) / self.done
        return f"{timedelta(seconds=round(seconds))} left"


class StageWatch(pl.Callback):
    """Callback that follows epochs, validations and the prediction of splits.

    Subclasses show them in `begin`, `advance` and `end`, which only the first rank calls. A module
    that predicts names its data loaders in `stage_names`. `whole` is the training or prediction.
    """

    def __init__(self) -> None:
        """Start without a stage."""
        self.whole = self.stage = self.epoch = Stage("", math.inf)
        self.split = -1  # index of the split that is predicted

    def begin(self, trainer: pl.Trainer) -> None:
        """Show that a stage begins."""

    def advance(self, trainer: pl.Trainer) -> None:
        """Show that a batch is done."""

    def end(self, trainer: pl.Trainer) -> None:
        """Show that the stage ends."""

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Count the batches of the training."""
        self.whole = Stage("training", batches_to_train(trainer))

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin an epoch; the first is 1."""
        of = f"/{trainer.max_epochs}" if (trainer.max_epochs or -1) > 0 else ""
        name = f"epoch {trainer.current_epoch + 1}{of}"
        self.epoch = Stage(name, trainer.num_training_batches)
        self._begin(self.epoch, trainer)

    def on_train_batch_end(  # noqa: D102
        self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        self.whole.done += 1
        self._advance(trainer, batch, batch_idx + 1)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """End an epoch."""
        self._end(trainer)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin a validation, which interrupts an epoch."""
        self._begin(Stage("validating", sum(trainer.num_val_batches), stays=False), trainer)

    def on_validation_batch_end(  # noqa: D102, PLR0917
        self,
        trainer: pl.Trainer,
        pl_module: Any,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self._advance(trainer, batch, batch_idx + 1)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Continue the epoch after a validation, whose time its speed leaves out."""
        self._end(trainer)
        self.epoch.started += self.stage.seconds
        self.stage = self.epoch

    def on_predict_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Count the batches of all splits."""
        self.whole, self.split = Stage("predicting", sum(trainer.num_predict_batches)), -1

    def on_predict_batch_start(  # noqa: D102
        self,
        trainer: pl.Trainer,
        pl_module: Any,
        batch: Batch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if dataloader_idx != self.split:
            if self.split >= 0:
                self._end(trainer)
            self.split = dataloader_idx
            batches = trainer.num_predict_batches[dataloader_idx]
            self._begin(Stage(pl_module.stage_names[dataloader_idx], batches), trainer)

    def on_predict_batch_end(  # noqa: D102, PLR0917
        self,
        trainer: pl.Trainer,
        pl_module: Any,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self.whole.done += 1
        self._advance(trainer, batch, batch_idx + 1)

    def on_predict_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """End the last split."""
        self._end(trainer)

    def _begin(self, stage: Stage, trainer: pl.Trainer) -> None:
        self.stage = stage
        if trainer.is_global_zero:
            self.begin(trainer)

    def _advance(self, trainer: pl.Trainer, batch: Batch, done: int) -> None:
        self.stage.done = done
        self.stage.images += len(batch.ids) * trainer.world_size
        if trainer.is_global_zero:
            self.advance(trainer)

    def _end(self, trainer: pl.Trainer) -> None:
        if trainer.is_global_zero:
            self.end(trainer)


def batches_to_train(trainer: pl.Trainer) -> float:
    """Return the number of batches that a training, new or resumed, still has."""
    accumulated = trainer.accumulate_grad_batches
    limits = [math.inf]
    if trainer.max_epochs is not None and trainer.max_epochs >= 0:
        limits.append(trainer.max_epochs * trainer.num_training_batches)
    if trainer.max_steps >= 0:
        limits.append(trainer.max_steps * accumulated)
    return max(0, min(limits) - trainer.global_step * accumulated)
