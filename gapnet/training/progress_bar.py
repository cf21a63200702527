"""Progress bar of training and prediction: one line, for terminals."""

import math
import time
from typing import Any

import pytorch_lightning as pl
from rich.progress import BarColumn, TextColumn

from gapnet.system import progress
from gapnet.training.stages import StageWatch

REFRESH = 0.5  # seconds between two updates of the bar: reading the metrics waits for the device
LEAST = 10  # columns of the bar
SHORT = {"train/loss": "loss {:.3f}", "val/top1_error": "top-1 {:.1%}"}  # the bar's short names


class StageBar(StageWatch):
    """Callback that shows a bar for each epoch, validation and split; most full bars stay."""

    def __init__(self) -> None:
        """Show nothing yet."""
        super().__init__()
        self._bar: progress.Bar | None = None
        self._shown = -math.inf

    def begin(self, trainer: pl.Trainer) -> None:
        """Replace the bar of the previous stage by an empty one."""
        self._start(trainer, stays=False)

    def advance(self, trainer: pl.Trainer) -> None:
        """Move the bar."""
        if time.monotonic() - self._shown >= REFRESH:
            self._show(trainer)

    def end(self, trainer: pl.Trainer) -> None:
        """Leave the full bar on the screen, unless the stage is a validation."""
        if self.stage.stays:
            self._start(trainer, stays=True)
        self._stop()

    def on_exception(self, trainer: pl.Trainer, pl_module: Any, exception: BaseException) -> None:
        """Stop the bar, so that the terminal is free for the error."""
        self._stop()

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Stop the bar."""
        self._stop()

    def _start(self, trainer: pl.Trainer, *, stays: bool) -> None:
        self._stop()
        self._bar = progress.Bar(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[text]}", markup=False),
            stays=stays,
        )
        total = None if math.isinf(self.stage.batches) else self.stage.batches
        done = self.stage.done
        self._bar.add_task(self.stage.name, total=total, completed=done, text=self._text(trainer))
        self._bar.start()

    def _show(self, trainer: pl.Trainer) -> None:
        self._shown = time.monotonic()
        if self._bar is None:  # after a validation in the middle of an epoch
            self._start(trainer, stays=False)
        assert self._bar is not None
        (task,) = self._bar.task_ids
        self._bar.update(task, completed=self.stage.done, text=self._text(trainer))

    def _text(self, trainer: pl.Trainer) -> str:
        """Return the text beside the bar, as much as fits; the metrics are left out first."""
        room = progress.console.width - len(self.stage.name) - LEAST
        count = f"{self.stage.done}/{self.stage.batches:g}"
        values = {**trainer.progress_bar_metrics} if self.stage is self.epoch else {}
        metrics = [form.format(values[name]) for name, form in SHORT.items() if name in values]
        paces = [self.stage.speed, self.whole.left]
        for shown in ([*metrics, *paces], [*metrics[:1], *paces], paces, paces[1:]):
            text = "  ".join(filter(None, [count, *shown]))
            if len(text) <= room:
                return text
        return count

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
        self._bar = None
