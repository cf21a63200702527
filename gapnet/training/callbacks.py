"""What Lightning's own callbacks do not do."""

import logging
import time
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import WeightAveraging
from torch import Tensor

log = logging.getLogger(__name__)


class EpochLines(pl.Callback):
    """Say one line an epoch, where a progress bar is of no use: in a file, under a scheduler."""

    def __init__(self) -> None:
        """Start the clock."""
        self._start = time.monotonic()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note the time."""
        self._start = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Say what the epoch came to; validation has run by now."""
        logged = sorted(trainer.callback_metrics.items())
        figures = "  ".join(
            f"{name} {value:.4f}" for name, value in logged if name.startswith(("train/", "val/"))
        )
        seconds = time.monotonic() - self._start
        log.info(
            "epoch %d of %s  %s  (%.1f s)",
            trainer.current_epoch + 1,
            trainer.max_epochs,
            figures,
            seconds,
        )


class MovingAverage(WeightAveraging):
    """Average the weights exponentially; what does not move stays as it is, to the bit."""

    def __init__(self, *, decay: float = 0.999) -> None:
        """Keep `decay` of the average at each step."""

        def average(averaged: Tensor, current: Tensor, steps: Tensor | int) -> Tensor:  # noqa: ARG001
            return averaged + (1 - decay) * (current - averaged)

        super().__init__(avg_fn=average)
        self._swapped = False  # whether the module has the average for now, to be validated

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Copy the module on the device that trains it; Lightning moves it there only later.

        A copy on the CPU would have all weights brought there in each step.
        """
        pl_module.to(trainer.strategy.root_device)
        super().setup(trainer, pl_module, stage)

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Validate the average."""
        super().on_validation_epoch_start(trainer, pl_module)
        self._swapped = True

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Go on with what is trained."""
        if self._swapped:
            super().on_validation_epoch_end(trainer, pl_module)
        self._swapped = False

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Save both where they belong, from a validation that is interrupted, too."""
        self.on_validation_epoch_end(trainer, pl_module)
        super().on_save_checkpoint(trainer, pl_module, checkpoint)
