"""The private names of Lightning, as gapnet uses them, in tiny trainings.

A failure here means that Lightning works differently, and training/lightning_internals.py must
change.
"""

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
from pytorch_lightning.loggers import CSVLogger
from torch import Tensor

from gapnet.training.lightning_internals import (
    VALIDATION,
    allow_unused_parameters,
    begin_next_epoch,
    ignore_signals,
    log_step_metrics,
    logged_step,
    repeat_validation,
    spawns_ranks,
    starts_ranks,
)
from tests.training.line import BATCHES, SIGNALS, Line, make_trainer

TORCHRUN = {
    "TORCHELASTIC_RUN_ID": "none",
    "RANK": "0",
    "LOCAL_RANK": "0",
    "WORLD_SIZE": "2",
    "MASTER_ADDR": "127.0.0.1",
    "MASTER_PORT": "29500",
    "GROUP_RANK": "0",
}


def test_ignore_signals_leaves_the_handlers_as_they_are(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    trainer, module = make_trainer(tmp_path), Line()
    ignore_signals(trainer)
    trainer.fit(module)
    assert module.handlers == before, "Lightning handles signals in spite of ignore_signals"
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_lightning_alone_handles_signals(tmp_path: Path) -> None:
    trainer, module = make_trainer(tmp_path), Line()
    assert callable(trainer._signal_connector.register_signal_handlers)
    before = [signal.getsignal(number) for number in SIGNALS]
    trainer.fit(module)
    assert module.handlers != before, "ignore_signals is not needed any more: delete it"


def test_a_ddp_trainer_of_two_devices_starts_ranks(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, devices=2, strategy="ddp")
    assert starts_ranks(trainer), f"ddp's launcher is now {type(trainer.strategy.launcher)}"
    assert not spawns_ranks(trainer)


def test_a_ddp_trainer_can_allow_unused_parameters(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, devices=2, strategy="ddp")
    allow_unused_parameters(trainer)
    assert trainer.strategy._ddp_kwargs["find_unused_parameters"], "DDP's options have another name"
    allow_unused_parameters(make_trainer(tmp_path))  # of one device, which needs nothing


def test_a_trainer_of_one_device_starts_no_ranks(tmp_path: Path) -> None:
    assert not starts_ranks(make_trainer(tmp_path))
    assert not spawns_ranks(make_trainer(tmp_path))


def test_a_rank_of_torchrun_starts_no_ranks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    assert not starts_ranks(make_trainer(tmp_path, devices=2, strategy="ddp"))


def test_a_ddp_spawn_trainer_spawns_ranks(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, devices=2, strategy="ddp_spawn")
    assert spawns_ranks(trainer), f"the launcher is now {type(trainer.strategy.launcher)}"
    assert not starts_ranks(trainer)


class Steps(CSVLogger):
    """Logger that lists the steps of which it has metrics."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.steps: list[int | None] = []

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        assert "loss" in metrics
        self.steps.append(step)


class LogNow(pl.Callback):
    """Callback that compares what is logged before and after `log_step_metrics`."""

    def __init__(self) -> None:
        self.logged: list[tuple[int, int]] = []

    def on_train_batch_end(self, trainer: pl.Trainer, *_: object) -> None:
        steps = trainer.logger.steps
        before = len(steps)
        log_step_metrics(trainer)
        self.logged.append((before, len(steps)))


def test_log_step_metrics_logs_before_lightning_does(tmp_path: Path) -> None:
    logger, log_now = Steps(tmp_path), LogNow()
    make_trainer(tmp_path, log_now, logger=logger, max_steps=1, log_every_n_steps=1).fit(Line())
    assert log_now.logged == [(0, 1)], "log_step_metrics does not log the step's metrics"
    assert logger.steps == [0, 0]  # Lightning itself, after the hook


class RecordStep(pl.Callback):
    """Callback that records `logged_step` at the end of each batch."""

    def __init__(self) -> None:
        self.steps: list[int] = []

    def on_train_batch_end(self, trainer: pl.Trainer, *_: object) -> None:
        self.steps.append(logged_step(trainer))


def test_logged_step_is_the_step_under_which_lightning_logs(tmp_path: Path) -> None:
    logger, record = Steps(tmp_path), RecordStep()
    make_trainer(tmp_path, record, logger=logger, log_every_n_steps=1).fit(Line())
    assert record.steps == logger.steps[:BATCHES] == list(range(BATCHES))


class SaveAtEnd(pl.Callback):
    """Callback that saves at the end of the first epoch, and counts the ends of epochs."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.ended: list[int] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.ended.append(trainer.current_epoch)
        if self.path is not None and trainer.current_epoch == 0:
            trainer.save_checkpoint(self.path)


class BeginNext(pl.Callback):
    """Callback that begins the next epoch, as `gapnet.training.Watch` does."""

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        begin_next_epoch(trainer)


LIMITS = [{"max_epochs": 2}, {"max_epochs": -1, "max_steps": 2 * BATCHES}]


@pytest.mark.parametrize("limit", LIMITS, ids=str)
def test_begin_next_epoch_goes_on_as_if_training_had_not_stopped(
    tmp_path: Path, limit: dict[str, int]
) -> None:
    checkpoint, resumed, ends = tmp_path / "end.ckpt", Line(), SaveAtEnd()
    make_trainer(tmp_path, SaveAtEnd(checkpoint), **limit).fit(Line())
    trainer = make_trainer(tmp_path, BeginNext(), ends, **limit)
    trainer.fit(resumed, ckpt_path=checkpoint, weights_only=False)
    assert resumed.seen == [(1, 0), (1, 1), (1, 2)]
    assert ends.ended == [1], "begin_next_epoch does not begin the next epoch"
    assert (trainer.current_epoch, trainer.global_step) == (2, 2 * BATCHES)


def test_lightning_alone_ends_an_epoch_twice(tmp_path: Path) -> None:
    checkpoint, ends = tmp_path / "end.ckpt", SaveAtEnd()
    make_trainer(tmp_path, SaveAtEnd(checkpoint), **LIMITS[1]).fit(Line())
    trainer = make_trainer(tmp_path, ends, **LIMITS[1])
    trainer.fit(Line(), ckpt_path=checkpoint, weights_only=False)
    assert ends.ended == [0, 1], "begin_next_epoch is not needed any more: delete it"


class SaveInValidation(pl.Callback):
    """Callback that saves before the second batch of a validation."""

    def __init__(self, path: Path, *, repeat: bool) -> None:
        self.path, self.repeat = path, repeat

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        assert VALIDATION in checkpoint["loops"]["fit_loop"], "the key has another name now"
        if self.repeat:
            repeat_validation(checkpoint)

    def on_validation_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Tensor, batch_idx: int
    ) -> None:
        if batch_idx == 1:
            trainer.save_checkpoint(self.path)


@pytest.mark.parametrize("repeat", [True, False])
def test_repeat_validation_runs_the_interrupted_validation_again(
    tmp_path: Path, *, repeat: bool
) -> None:
    checkpoint, resumed = tmp_path / "validating.ckpt", Line()
    save = SaveInValidation(checkpoint, repeat=repeat)
    make_trainer(tmp_path, save, limit_val_batches=1.0).fit(Line())
    trainer = make_trainer(tmp_path, limit_val_batches=1.0)
    trainer.fit(resumed, ckpt_path=checkpoint, weights_only=False)
    assert resumed.seen == []
    assert resumed.validated == ([0, 1, 2] if repeat else [])
