"""What Lightning's own callbacks do not do."""

import logging
import time

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
