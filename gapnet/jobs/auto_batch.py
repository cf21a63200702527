"""`trainer.auto_batch=true`."""

import copy
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from gapnet.config.assemble import AUTO_BATCH
from gapnet.errors import GapnetError
from gapnet.training.batch_size import find_batch_size

if TYPE_CHECKING:
    import pytorch_lightning as pl

    from gapnet.data.loading.datamodule import DataModule
    from gapnet.training.classifier import Classifier

log = logging.getLogger(__name__)


def choose_batch(
    cfg: DictConfig,
    trainer: "pl.Trainer",
    data: "DataModule",
    make: Callable[[], "Classifier"],
) -> None:
    """Find the batch size if that is asked for, and write it into the configuration."""
    wanted = cfg.trainer.get(AUTO_BATCH, False)
    if not isinstance(wanted, bool):
        raise GapnetError(f"trainer.auto_batch={wanted}: must be true or false")
    if not wanted:
        return
    if trainer.world_size > 1:
        raise GapnetError(
            "trainer.auto_batch=true: looks for the batch of one process; find it with "
            "trainer.devices=1, and set loader.batch_size"
        )
    if trainer.strategy.root_device.type == "cpu":
        raise GapnetError(
            "trainer.auto_batch=true: fills a GPU's memory until it is full, and this is none; "
            "set loader.batch_size"
        )
    classifier = copy.deepcopy(make())
    cfg.loader.batch_size = find_batch_size(classifier, data, trainer)
    log.info("loader.batch_size=%d is the largest that fits", cfg.loader.batch_size)
