from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor

from gapnet.training.batch_size import find_batch_size
from gapnet.training.classifier import Classifier
from tests.refusals import refused
from tests.training.test_classifier import classifier, data

pytestmark = pytest.mark.slow


def full_above(module: Classifier, most: int) -> Classifier:
    """Make a step on more than `most` images run out of memory."""
    original = module.network.forward

    def forward(images: Tensor) -> Tensor:
        if len(images) > most:
            raise RuntimeError("CUDA out of memory. Tried to allocate 1 GiB")
        return original(images)

    module.network.forward = forward
    return module


def test_the_largest_batch_that_fits_is_returned(shapes_root: Path) -> None:
    module = data(shapes_root)
    module.batch_size = 2
    trainer = pl.Trainer(accelerator="cpu", logger=False, enable_progress_bar=False)
    assert find_batch_size(full_above(classifier(), 9), module, trainer) == 8
    assert next(iter(module.train_dataloader())).images.shape[0] == 8


def test_one_image_that_does_not_fit_is_an_error(shapes_root: Path) -> None:
    module = data(shapes_root)
    trainer = pl.Trainer(accelerator="cpu", logger=False, enable_progress_bar=False)
    with refused("trainer.auto_batch=true"):
        find_batch_size(full_above(classifier(), 0), module, trainer)


def test_a_finite_loss_is_seen_with_mixed_precision(shapes_root: Path, tmp_path: Path) -> None:
    trainer = pl.Trainer(
        accelerator="cpu",
        precision="bf16-mixed",
        max_epochs=1,
        logger=False,
        enable_progress_bar=False,
        enable_checkpointing=False,
        default_root_dir=tmp_path,
    )
    trainer.fit(classifier(), data(shapes_root))
    assert torch.isfinite(trainer.callback_metrics["train/loss"])
