"""A training ends when its metric no longer improves."""

from pathlib import Path

import pytest
import pytorch_lightning as pl
from torch import Tensor

from gapnet.training import StopEarly
from tests.refusals import refused
from tests.training.line import Line, make_trainer

LOSSES = [3.0, 2.0, 2.5, 2.0, 1.0]  # of the validations; the last one is not reached


class Falling(Line):
    """A training whose validations log given losses."""

    def validation_step(self, batch: Tensor, batch_idx: int) -> None:
        super().validation_step(batch, batch_idx)
        self.log("val/loss", LOSSES[self.current_epoch])


def train(folder: Path, **changes: object) -> pl.Trainer:
    trainer = make_trainer(
        folder, StopEarly(patience=2), max_epochs=len(LOSSES), limit_val_batches=1
    )
    trainer.fit(Falling(), **changes)
    return trainer


def test_training_stops_after_validations_that_are_not_better(tmp_path: Path) -> None:
    trainer = train(tmp_path)
    assert trainer.current_epoch == 4
    trainer.save_checkpoint(tmp_path / "end.ckpt")
    resumed = train(tmp_path, ckpt_path=tmp_path / "end.ckpt", weights_only=False)
    assert resumed.global_step == trainer.global_step, "a stopped training went on"


def test_patience_is_at_least_one() -> None:
    with refused("callbacks.stop.patience", 0):
        StopEarly(patience=0)


@pytest.mark.parametrize("losses", [[1.0, 2.0, 0.5, 0.7, 0.4]])
def test_a_better_validation_resets_the_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, losses: list[float]
) -> None:
    monkeypatch.setattr("tests.training.test_stop_early.LOSSES", losses)
    assert train(tmp_path).current_epoch == len(losses)
