from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor

from gapnet.errors import GapnetError
from gapnet.training.batch_size import find_batch_size
from gapnet.training.classifier import Classifier
from tests.training.test_classifier import classifier, data

pytestmark = pytest.mark.slow


def full_above(module: Classifier, most: int) -> Classifier:
    """Run out of memory with more images than that."""
    was = module.network.forward

    def forward(images: Tensor) -> Tensor:
        if len(images) > most:
            raise RuntimeError("CUDA out of memory. Tried to allocate 1 GiB")
        return was(images)

    module.network.forward = forward
    return module


def test_the_last_batch_that_fitted_is_found(shapes_root: Path) -> None:
    module = data(shapes_root)
    module.batch_size = 2
    trainer = pl.Trainer(accelerator="cpu", logger=False, enable_progress_bar=False)
    assert find_batch_size(full_above(classifier(), 9), module, trainer) == 8
    assert next(iter(module.train_dataloader())).images.shape[0] == 8


def test_a_batch_that_does_not_fit_at_all_is_told(shapes_root: Path) -> None:
    module = data(shapes_root)
    trainer = pl.Trainer(accelerator="cpu", logger=False, enable_progress_bar=False)
    with pytest.raises(GapnetError, match=r"trainer\.auto_batch=true: "):
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
