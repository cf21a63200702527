"""Pictures of a training: which images, what they say, and from which weights they are drawn."""

import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from gapnet.data.records import Records
from gapnet.training.callbacks import MovingAverage
from gapnet.training.logged_images import ImageLog, choose_rows, draw
from gapnet.training.logger_base import LoggedImage, RunLogger
from gapnet.training.speed import SPEED, SpeedLog
from tests.oracles.boxes import iou
from tests.training.test_classifier import classifier, data


class Shown(RunLogger):
    """Logger that holds what it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.images: list[tuple[int, list[LoggedImage]]] = []
        self.metrics: list[tuple[int, dict[str, float]]] = []

    def log_images(self, images: Sequence[LoggedImage], step: int) -> None:
        self.images.append((step, list(images)))

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        self.metrics.append((step, metrics))


def train_and_show(root: Path, folder: Path, *callbacks: pl.Callback) -> Shown:
    shown = Shown()
    trainer = pl.Trainer(
        max_epochs=2,
        accelerator="cpu",
        devices=1,
        logger=shown,
        log_every_n_steps=2,
        callbacks=[ImageLog(3), *callbacks, SpeedLog()],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=1,
        default_root_dir=folder,
    )
    trainer.fit(classifier(), data(root))
    return shown


def test_the_same_images_are_drawn_after_each_validation_at_its_step(
    shapes_root: Path, tmp_path: Path
) -> None:
    shown = train_and_show(shapes_root, tmp_path)
    validated = [step for step, metrics in shown.metrics if "val/loss" in metrics]
    assert [step for step, _ in shown.images] == validated
    assert len(validated) == 2
    first, second = ([image.name for image in images] for _, images in shown.images)
    assert first == second
    assert len(set(first)) == 3


def test_speed_is_logged_as_often_as_the_loss(shapes_root: Path, tmp_path: Path) -> None:
    shown = train_and_show(shapes_root, tmp_path)
    speeds = [(step, values[SPEED]) for step, values in shown.metrics if SPEED in values]
    assert [step for step, _ in speeds] == [
        step for step, values in shown.metrics if "train/loss" in values
    ]
    assert all(speed > 0 for _, speed in speeds)


def test_speed_is_images_by_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 14.0, 14.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    shown = Shown()
    loop = SimpleNamespace(epoch_loop=SimpleNamespace(_batches_that_stepped=5))
    trainer = SimpleNamespace(world_size=2, log_every_n_steps=2, loggers=[shown], fit_loop=loop)
    speed = SpeedLog()
    for index in range(2):
        speed.on_train_batch_end(trainer, None, None, SimpleNamespace(ids=["x"] * 8), index)
    assert shown.metrics == [(5, {SPEED: 32 / 4})]


def test_a_picture_says_the_class_and_the_overlap_of_the_box(shapes_root: Path) -> None:
    module, source = classifier().eval(), data(shapes_root)
    with torch.inference_mode():
        images = draw(module, source, 4)
        rows = choose_rows(source.images("val").records, 4)
        for image, row in zip(images, rows, strict=True):
            sample = source.images("val")[row]
            outputs = module.localizer.look(module.network, module.input_of(sample.image[None]))
            shares = np.exp(outputs.logits[0].double().numpy())
            shares /= shares.sum()
            maps = module.localizer.maps(
                module.network, outputs, torch.tensor([[sample.label]]), [sample.id]
            )
            size, window = torch.tensor([sample.size]), sample.window[None]
            box = module.localizer.boxes(maps, window, size, sample.image[None])[0, 0, 0]
            overlap = max(iou(box.tolist(), true, inclusive=True) for true in sample.boxes.tolist())
            guess, verdict, boxed = image.caption.split("; ")
            assert guess.startswith(f"{shares.max():.0%} ")
            assert verdict.startswith(
                "class: right" if shares.argmax() == sample.label else "class: w"
            )
            right = "right" if overlap >= 0.5 else "wrong"
            assert boxed == f"box: IoU {overlap:.2f}, {right}"
            assert image.name.endswith(sample.id)
            assert image.image.height > image.image.width == 224


def test_images_with_boxes_are_preferred() -> None:
    boxed = torch.arange(20) % 5 == 0
    rows = choose_rows(BoxedRecords(boxed), 6)
    assert boxed[rows].tolist() == [True] * 4 + [False] * 2
    assert rows == choose_rows(BoxedRecords(boxed), 6)


class BoxedRecords(Records):
    """Records of which only the boxes are known."""

    def __init__(self, boxed: torch.Tensor) -> None:
        self._boxed = boxed

    def __len__(self) -> int:
        return len(self._boxed)

    @property
    def boxed(self) -> torch.Tensor:
        return self._boxed


class LastWeights(pl.Callback):
    """Callback that holds the trained weights of the last step."""

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, *_: object
    ) -> None:
        self.weights = next(module.network.parameters()).detach().clone()


def test_pictures_show_the_averaged_weights_that_are_validated(
    shapes_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn_with: list[torch.Tensor] = []

    def record(module: pl.LightningModule, *_: object) -> list[LoggedImage]:
        drawn_with.append(next(module.network.parameters()).detach().clone())
        return []

    monkeypatch.setattr("gapnet.training.logged_images.draw", record)
    average, last = MovingAverage(decay=0.9), LastWeights()
    train_and_show(shapes_root, tmp_path, average, last)
    averaged = next(average._average_model.module.network.parameters())
    assert torch.equal(drawn_with[-1], averaged)
    assert not torch.equal(drawn_with[-1], last.weights)
