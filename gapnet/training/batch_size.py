"""Finds the largest batch size that fits into memory."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytorch_lightning as pl
from pytorch_lightning.tuner.tuning import Tuner

from gapnet.data.loading.datamodule import DataModule
from gapnet.errors import GapnetError
from gapnet.training.classifier import Classifier

STEPS = 3  # per trial


def check_can_search(trainer: pl.Trainer) -> None:
    """Refuse to search for a batch size with several ranks, or without a GPU."""
    if trainer.world_size > 1:
        raise GapnetError(
            "trainer.auto_batch=true: needs a single process; find the batch size with "
            "trainer.devices=1, and set loader.batch_size"
        )
    if trainer.strategy.root_device.type == "cpu":
        raise GapnetError("trainer.auto_batch=true: needs a GPU; set loader.batch_size")


def find_batch_size(classifier: Classifier, data: DataModule, trainer: pl.Trainer) -> int:
    """Return the largest batch size that fits, and set it in the data module.

    Lightning doubles the batch until memory is full. Do not use the classifier afterwards: it has
    been trained.
    """
    with TemporaryDirectory(prefix="gapnet-") as folder:
        probe = pl.Trainer(
            default_root_dir=Path(folder),
            accelerator=trainer.accelerator,
            devices=1,
            precision=trainer.precision,
            accumulate_grad_batches=trainer.accumulate_grad_batches,
            max_steps=STEPS,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        try:
            batch_size = Tuner(probe).scale_batch_size(
                classifier, datamodule=data, steps_per_trial=STEPS, init_val=data.batch_size
            )
        except (ZeroDivisionError, ValueError):  # it halves a batch that does not fit, down to 0
            batch_size = 0
    if not batch_size:
        raise GapnetError("trainer.auto_batch=true: a step on one image does not fit into memory")
    data.batch_size = int(batch_size)
    return int(batch_size)
