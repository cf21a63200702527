"""The largest batch that memory holds."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytorch_lightning as pl
from pytorch_lightning.tuner.tuning import Tuner

from gapnet.data.loading.datamodule import DataModule
from gapnet.errors import GapnetError
from gapnet.training.classifier import Classifier

STEPS = 3  # of each trial


def check_can_search(trainer: pl.Trainer) -> None:
    """Refuse to search for a batch size where memory does not tell one."""
    if trainer.world_size > 1:
        raise GapnetError(
            "trainer.auto_batch=true: searches in one process; find the batch size with "
            "trainer.devices=1, and set loader.batch_size"
        )
    if trainer.strategy.root_device.type == "cpu":
        raise GapnetError(
            "trainer.auto_batch=true: needs a GPU, whose memory it fills; set loader.batch_size"
        )


def find_batch_size(classifier: Classifier, data: DataModule, trainer: pl.Trainer) -> int:
    """Double the batch until memory is full, by Lightning's finder; the last that fitted counts.

    The data module serves batches of that size afterwards, and no more images of an epoch than
    there are; the classifier is spent.
    """
    with TemporaryDirectory(prefix="gapnet-") as place:
        probe = pl.Trainer(
            default_root_dir=Path(place),
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
            found = Tuner(probe).scale_batch_size(
                classifier, datamodule=data, steps_per_trial=STEPS, init_val=data.batch_size
            )
        except (ZeroDivisionError, ValueError):  # it halves a batch that does not fit down to none
            found = 0
    if not found:
        raise GapnetError("trainer.auto_batch=true: memory does not hold a single image's step")
    data.batch_size = int(found)
    return int(found)
