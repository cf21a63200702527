"""What a training looks at in each of its steps, together with its other processes."""

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
from gapnet.system.signals import Stopped, handled, stop
from gapnet.system.value_checks import number
from gapnet.training.lightning_internals import (
    begin_next_epoch,
    log_step_metrics,
    repeat_validation,
)
from gapnet.training.metrics_csv import Curves

log = logging.getLogger(__name__)
OURS = "gapnet"  # the key of a checkpoint that holds what Lightning does not know
TEXT = "curves"  # of metrics.csv, as it was when the checkpoint was made
ROWS = "rows"  # of metrics.csv: all that earlier versions kept of it
LEAST_SCALE = 1.0  # of a loss in half precision; gradients that overflow below it are no accident


class Watch(Checkpoint):
    """Save what a training goes on from, heed signals, and stop before a step that would ruin it.

    The processes agree on all of it before the optimiser's step, so they do the same.
    """

    def __init__(self, *, minutes: float = 10.0) -> None:
        """Save at the end of each epoch, and whenever so many minutes have gone by."""
        number("callbacks.last.minutes", minutes, above=0)
        self.minutes = minutes
        self._saved = time.monotonic()
        self._noted = 0  # the signal that came
        self._asked = 0.0  # the one that the processes have agreed upon
        self._due = self._stepped = False
        self._losses: list[Tensor] = []  # of the batches of a step
        self._ids: list[list[str]] = []
        self._shared = 0
        self._curves = ""  # by the start of the validation that is running
        self._handling = ExitStack()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note signals from now on, rather than stop at once."""
        self._saved, self._noted = time.monotonic(), 0
        self._handling.enter_context(handled(self._note))
        begin_next_epoch(trainer)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Leave signals to others."""
        self._handling.close()

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Leave signals to others."""
        self._handling.close()

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Batch, batch_idx: int
    ) -> None:
        """Remember whose images these are."""
        self._ids.append(batch.ids)

    def on_before_backward(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, loss: Tensor
    ) -> None:
        """Remember the loss; nobody waits for its value yet."""
        self._losses.append(loss.detach())

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Optimizer
    ) -> None:
        """Agree on what is to be done about this step."""
        broken = not torch.stack(self._losses).isfinite().all()
        broken = broken or not _are_finite(trainer, optimizer)
        due = time.monotonic() - self._saved > 60 * self.minutes
        values = [float(broken), float(self._noted), float(due)]
        any_broken, self._asked, any_due = maximum(values, pl_module.device)
        if any_broken:
            self._bury(trainer, broken=bool(broken))
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
        """Save or stop if that was agreed upon, unless a validation comes first."""
        stepped, self._stepped = self._stepped, False
        done = batch_idx + 1
        validates = trainer.enable_validation and done % (trainer.val_check_batch or done) == 0
        if not stepped or validates or done >= trainer.num_training_batches:
            return
        if self._asked or self._due:
            log_step_metrics(trainer)
        if self._asked:
            self._leave(trainer)
        if self._due:
            self.save(trainer)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Count what will be done again, should the validation be interrupted."""
        self._curves = _write_logs(trainer)
        batches = float(sum(trainer.num_val_batches))
        self._shared = -int(maximum([-batches], pl_module.device)[0])  # that every process has

    def on_validation_batch_start(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        batch: Batch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Stop if one is to stop; the validation will then run again."""
        if trainer.state.fn == "fit" and batch_idx < self._shared:
            (self._asked,) = maximum([max(self._asked, self._noted)], pl_module.device)
            if self._asked:
                self._leave(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save the end of an epoch."""
        (self._asked,) = maximum([max(self._asked, self._noted)], pl_module.device)
        if self._asked:
            self._leave(trainer)
        self.save(trainer)

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Keep the text of the curves; have an interrupted validation run again."""
        checkpoint[OURS] = {TEXT: self._curves if trainer.validating else _write_logs(trainer)}
        if trainer.validating:
            repeat_validation(checkpoint)

    def save(self, trainer: pl.Trainer) -> None:
        """Write the last checkpoint anew."""
        trainer.save_checkpoint(Path(trainer.default_root_dir, CHECKPOINTS, f"{LAST}.ckpt"))
        self._saved = time.monotonic()

    def _note(self, number: int, frame: FrameType | None) -> None:
        """Note a signal; who presses Ctrl-C a second time does not want to wait."""
        if self._noted == number:
            stop(number, frame)
        self._noted = number

    def _leave(self, trainer: pl.Trainer) -> None:
        self.save(trainer)
        stopped = Stopped(int(self._asked))
        log.warning(
            "%s: stopped after step %d, which is saved; the same command with resume=auto goes on",
            stopped.signal,
            trainer.global_step,
        )
        raise stopped

    def _bury(self, trainer: pl.Trainer, *, broken: bool) -> None:
        """Keep what is needed to find out why a loss or a gradient is none, and end the training.

        The weights are still those of before the step.
        """
        folder = Path(trainer.default_root_dir, POSTMORTEM)
        folder.mkdir(exist_ok=True)
        rank, _ = rank_and_count()
        told = {
            "step": trainer.global_step,
            "epoch": trainer.current_epoch,
            "broken": broken,
            "losses": [str(float(loss)) for loss in self._losses],
            "gradients": [name for name, each in _gradients(trainer) if not each.isfinite().all()],
            "ids": self._ids,
        }
        write_file(folder / f"rank{rank}.json", json.dumps(told, indent=2) + "\n")
        trainer.save_checkpoint(folder / "state.ckpt")
        raise GapnetError(
            f"step {trainer.global_step + 1}: the loss or a gradient is not finite; the training "
            f"stopped before it. The images and the state are in {folder}, {LAST}.ckpt is as it "
            "was. A lower optim.lr, optim.warmup or trainer.gradient_clip_val=1 may help"
        )


def _are_finite(trainer: pl.Trainer, optimizer: Optimizer) -> bool:
    """Tell whether all gradients are numbers; where the loss is scaled, they may overflow."""
    scaler = getattr(trainer.precision_plugin, "scaler", None)
    if scaler is not None and scaler.get_scale() >= LEAST_SCALE:
        return True
    gradients = [
        each.grad
        for group in optimizer.param_groups
        for each in group["params"]
        if each.grad is not None
    ]
    return bool(nn.utils.get_total_norm(gradients).isfinite())


def _gradients(trainer: pl.Trainer) -> list[tuple[str, Tensor]]:
    module = trainer.lightning_module
    return [(name, each.grad) for name, each in module.named_parameters() if each.grad is not None]


def _write_logs(trainer: pl.Trainer) -> str:
    """Bring what is logged to the disk; give the text of the curves."""
    for logger in trainer.loggers:
        logger.save()
    return "".join(each.text for each in trainer.loggers if isinstance(each, Curves))
