"""Checks in every step of a training, on which all ranks agree: save, stop, or fail."""

import json
import logging
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint
from torch import Tensor, nn
from torch.optim import Optimizer

from gapnet.data.sample import Batch
from gapnet.errors import GapnetError
from gapnet.runs.layout import CHECKPOINTS, LAST, POSTMORTEM
from gapnet.system.distributed import maximum, rank_and_count
from gapnet.system.files import write_file
from gapnet.system.signals import Stopped, handled, raise_stopped
from gapnet.system.value_checks import number
from gapnet.training.lightning_internals import (
    begin_next_epoch,
    log_step_metrics,
    repeat_validation,
)
from gapnet.training.metrics_csv import Curves

log = logging.getLogger(__name__)
OURS = "gapnet"  # key of gapnet's own entry in a checkpoint
TEXT = "curves"  # key of the text of metrics.csv at the time of the checkpoint
ROWS = "rows"  # key of the rows of metrics.csv, which earlier versions saved instead
LEAST_SCALE = 1.0  # of a loss in half precision; below it, overflowing gradients are an error


class Watch(Checkpoint):
    """Callback that saves last.ckpt, reacts to signals, and stops if the loss is not finite.

    All ranks agree before the optimiser's step, so they do the same.
    """

    def __init__(self, *, minutes: float = 10.0) -> None:
        """Save at the end of every epoch, and every `minutes` minutes."""
        number("callbacks.last.minutes", minutes, above=0)
        self.minutes = minutes
        self._saved = time.monotonic()
        self._noted = 0  # the signal that this rank received
        self._agreed = 0.0  # the signal that all ranks have agreed on
        self._due = self._stepped = False
        self._losses: list[Tensor] = []  # of the batches in this step
        self._ids: list[list[str]] = []
        self._common_batches = 0  # of validation, that every rank has
        self._curves = ""  # text of metrics.csv at the start of the current validation
        self._handling = ExitStack()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Record signals from now on, instead of stopping at once."""
        self._saved, self._noted = time.monotonic(), 0
        self._handling.enter_context(handled(self._note))
        begin_next_epoch(trainer)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Restore the earlier handlers of signals."""
        self._handling.close()

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Restore the earlier handlers of signals."""
        self._handling.close()

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Batch, batch_idx: int
    ) -> None:
        """Record the ids of the images."""
        self._ids.append(batch.ids)

    def on_before_backward(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, loss: Tensor
    ) -> None:
        """Record the loss, without waiting for its value."""
        self._losses.append(loss.detach())

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Optimizer
    ) -> None:
        """Agree with the other ranks whether to save, to stop, or to fail at this step."""
        non_finite = not torch.stack(self._losses).isfinite().all()
        non_finite = non_finite or not _are_finite(trainer, optimizer)
        due = time.monotonic() - self._saved > 60 * self.minutes
        values = [float(non_finite), float(self._noted), float(due)]
        any_non_finite, self._agreed, any_due = maximum(values, pl_module.device)
        if any_non_finite:
            self._fail(trainer, broken=bool(non_finite))
        self._due, self._stepped = bool(any_due), True
        self._losses, self._ids = [], []

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: object,
        batch: Batch,
        batch_idx: int,
    ) -> None:
        """Save or stop if the ranks have agreed on it, unless a validation follows."""
        stepped, self._stepped = self._stepped, False
        done = batch_idx + 1
        validates = trainer.enable_validation and done % (trainer.val_check_batch or done) == 0
        if not stepped or validates or done >= trainer.num_training_batches:
            return
        if self._agreed or self._due:
            log_step_metrics(trainer)
        if self._agreed:
            self._save_and_stop(trainer)
        if self._due:
            self.save(trainer)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Record the logs, and the number of batches that every rank has."""
        self._curves = _write_logs(trainer)
        batches = float(sum(trainer.num_val_batches))
        self._common_batches = -int(maximum([-batches], pl_module.device)[0])

    def on_validation_batch_start(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        batch: Batch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Stop if a rank has received a signal; a resumed training repeats the validation."""
        if trainer.state.fn == "fit" and batch_idx < self._common_batches:
            (self._agreed,) = maximum([max(self._agreed, self._noted)], pl_module.device)
            if self._agreed:
                self._save_and_stop(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save at the end of an epoch, or save and stop."""
        (self._agreed,) = maximum([max(self._agreed, self._noted)], pl_module.device)
        if self._agreed:
            self._save_and_stop(trainer)
        self.save(trainer)

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add the text of metrics.csv; make a resumed training repeat an interrupted validation."""
        checkpoint[OURS] = {TEXT: self._curves if trainer.validating else _write_logs(trainer)}
        if trainer.validating:
            repeat_validation(checkpoint)

    def save(self, trainer: pl.Trainer) -> None:
        """Write last.ckpt."""
        trainer.save_checkpoint(Path(trainer.default_root_dir, CHECKPOINTS, f"{LAST}.ckpt"))
        self._saved = time.monotonic()

    def _note(self, number: int, frame: FrameType | None) -> None:
        """Record a signal; if the same one comes again, stop at once."""
        if self._noted == number:
            raise_stopped(number, frame)
        self._noted = number

    def _save_and_stop(self, trainer: pl.Trainer) -> None:
        self.save(trainer)
        stopped = Stopped(int(self._agreed))
        log.warning(
            "%s: stopped after step %d, which is saved; repeat the command with resume=auto",
            stopped.signal,
            trainer.global_step,
        )
        raise stopped

    def _fail(self, trainer: pl.Trainer, *, broken: bool) -> None:
        """Save what may explain a non-finite loss or gradient, and end the training.

        The weights are still those before the step.
        """
        folder = Path(trainer.default_root_dir, POSTMORTEM)
        folder.mkdir(exist_ok=True)
        rank, _ = rank_and_count()
        report = {
            "step": trainer.global_step,
            "epoch": trainer.current_epoch,
            "broken": broken,
            "losses": [str(float(loss)) for loss in self._losses],
            "gradients": [
                name for name, gradient in _gradients(trainer) if not gradient.isfinite().all()
            ],
            "ids": self._ids,
        }
        write_file(folder / f"rank{rank}.json", json.dumps(report, indent=2) + "\n")
        trainer.save_checkpoint(folder / "state.ckpt")
        raise GapnetError(
            f"step {trainer.global_step + 1}: the loss or a gradient is not finite; the training "
            f"stopped before it. The images and the state are in {folder}, {LAST}.ckpt is "
            "unchanged. A lower optim.lr, optim.warmup or trainer.gradient_clip_val=1 may help"
        )


def _are_finite(trainer: pl.Trainer, optimizer: Optimizer) -> bool:
    """Return whether all gradients are finite; if the loss is scaled, they may overflow."""
    scaler = getattr(trainer.precision_plugin, "scaler", None)
    if scaler is not None and scaler.get_scale() >= LEAST_SCALE:
        return True
    gradients = [
        parameter.grad
        for group in optimizer.param_groups
        for parameter in group["params"]
        if parameter.grad is not None
    ]
    return bool(nn.utils.get_total_norm(gradients).isfinite())


def _gradients(trainer: pl.Trainer) -> list[tuple[str, Tensor]]:
    parameters = trainer.lightning_module.named_parameters()
    return [(name, value.grad) for name, value in parameters if value.grad is not None]


def _write_logs(trainer: pl.Trainer) -> str:
    """Write the logs to the disk; return the text of metrics.csv."""
    for logger in trainer.loggers:
        logger.save()
    return "".join(logger.text for logger in trainer.loggers if isinstance(logger, Curves))
