"""Speed of a training, for loggers."""

import time
from typing import Any

import pytorch_lightning as pl

from gapnet.data.sample import Batch
from gapnet.training.lightning_internals import logged_step
from gapnet.training.metrics_csv import Curves

SPEED = "train/images_per_second"


class SpeedLog(pl.Callback):
    """Callback that logs images per second, without the time of validations.

    metrics.csv does not get them: it has the same text whenever the training is repeated.
    """

    def __init__(self) -> None:
        """Start to count."""
        self._begin()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start to count."""
        self._begin()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start to count again."""
        self._begin()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Count a batch; log the speed as often as the loss."""
        self._images += len(batch.ids) * trainer.world_size
        if (batch_idx + 1) % trainer.log_every_n_steps:  # type: ignore[attr-defined]
            return
        speed = self._images / max(time.monotonic() - self._since, 1e-9)
        for logger in trainer.loggers:
            if not isinstance(logger, Curves):
                logger.log_metrics({SPEED: speed}, step=logged_step(trainer))
        self._begin()

    def _begin(self) -> None:
        self._images, self._since = 0, time.monotonic()
