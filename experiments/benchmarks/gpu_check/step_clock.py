"""A callback that times the steps of a training.

python train.py imports=[gpu_check.step_clock] \
    +callbacks.clock._target_=gpu_check.step_clock.StepClock +callbacks.clock.skip=8
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from torch import Tensor

from gapnet.data.sample import Batch
from gpu_check.device_clock import forget_peak, now, peak_gib

FILE = "step_clock.json"  # in the run folder


class StepClock(pl.Callback):
    """Write images per second, losses and peak memory of a training into its run folder.

    The first epoch is the warm-up. Of each later epoch, the window begins after `skip` batches,
    which the loader's processes had ready, and ends with the last batch; what happens between the
    epochs is not timed. The GPU has done all its work at both ends of a window.
    """

    def __init__(self, *, skip: int) -> None:
        """Leave out the first `skip` batches of each epoch."""
        self.skip = skip
        self._images, self._seconds = 0, 0.0
        self._started = self._window = 0.0
        self._first_step: float | None = None
        self._losses: list[Tensor] = []

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        forget_peak()
        self._started = now()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Tensor | Mapping[str, Any] | None,
        batch: Batch,
        batch_idx: int,
    ) -> None:
        """Note the loss, open a window or close it."""
        loss = outputs["loss"] if isinstance(outputs, Mapping) else outputs
        assert loss is not None
        self._losses.append(loss.detach())
        if self._first_step is None:
            self._first_step = now() - self._started
        if trainer.current_epoch == 0:
            return
        done, last = batch_idx + 1, int(trainer.num_training_batches)
        if done == self.skip:
            self._window = now()
        elif done == last > self.skip:
            self._seconds += now() - self._window
            self._images += (last - self.skip) * len(batch.ids)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write what was measured."""
        measures = {
            "images_per_second": self._images / self._seconds if self._seconds else None,
            "timed_images": self._images,
            "first_step_seconds": self._first_step,
            "peak_gib": peak_gib(),
            "losses": [float(loss) for loss in self._losses],
        }
        Path(trainer.default_root_dir, FILE).write_text(json.dumps(measures) + "\n")
