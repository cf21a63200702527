"""Callbacks that Lightning does not have."""

import logging
import time
from typing import Any, Literal

import pytorch_lightning as pl
from pytorch_lightning.callbacks import EarlyStopping, WeightAveraging
from torch import Tensor

from gapnet.system.value_checks import whole_number

log = logging.getLogger(__name__)


class EpochLines(pl.Callback):
    """Callback that logs one line per epoch, for output without a progress bar, such as a file."""

    def __init__(self) -> None:
        """Record the time."""
        self._start = time.monotonic()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Record the time."""
        self._start = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log the metrics of the epoch; its validation has already run."""
        logged = sorted(trainer.callback_metrics.items())
        metrics = "  ".join(
            f"{name} {value:.4f}" for name, value in logged if name.startswith(("train/", "val/"))
        )
        seconds = time.monotonic() - self._start
        log.info(
            "epoch %d of %s  %s  (%.1f s)",
            trainer.current_epoch + 1,
            trainer.max_epochs,
            metrics,
            seconds,
        )


class StopEarly(EarlyStopping):
    """Callback that ends a training whose metric no longer improves."""

    def __init__(
        self, *, monitor: str = "val/loss", mode: Literal["min", "max"] = "min", patience: int = 3
    ) -> None:
        """Stop after `patience` validations in a row without a better value."""
        whole_number("callbacks.stop.patience", patience, least=1)
        super().__init__(monitor=monitor, mode=mode, patience=patience)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop at once if the training that is resumed had already been stopped."""
        super().on_train_start(trainer, pl_module)
        trainer.should_stop = trainer.should_stop or self.wait_count >= self.patience

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log that the training was stopped."""
        super().on_train_end(trainer, pl_module)
        if self.wait_count >= self.patience:
            log.info(
                "stopped early: %s has not improved on %.4f in %d validations",
                self.monitor,
                float(self.best_score),
                self.wait_count,
            )


class MovingAverage(WeightAveraging):
    """Exponential moving average of the weights; frozen weights stay exactly the same."""

    def __init__(self, *, decay: float = 0.999) -> None:
        """Multiply the average by `decay` at every step."""

        def average(averaged: Tensor, current: Tensor, steps: Tensor | int) -> Tensor:  # noqa: ARG001
            return averaged + (1 - decay) * (current - averaged)

        super().__init__(avg_fn=average)
        self._swapped = False  # whether the module has the average now, for validation

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Copy the module on its training device; Lightning would move it there only later.

        With a copy on the CPU, all weights would be transferred in every step.
        """
        pl_module.to(trainer.strategy.root_device)
        super().setup(trainer, pl_module, stage)

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Use the average for validation."""
        super().on_validation_epoch_start(trainer, pl_module)
        self._swapped = True

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Return to the trained weights."""
        if self._swapped:
            super().on_validation_epoch_end(trainer, pl_module)
        self._swapped = False

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Save weights and average correctly, also if a validation is interrupted."""
        self.on_validation_epoch_end(trainer, pl_module)
        super().on_save_checkpoint(trainer, pl_module, checkpoint)
