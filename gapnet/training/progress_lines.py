"""Progress for output that is not a terminal, such as a file: a line a minute."""

import logging
import time

import pytorch_lightning as pl

from gapnet.system.progress import LOG_EVERY
from gapnet.training.stages import StageWatch

log = logging.getLogger(__name__)


class MinuteLines(StageWatch):
    """Callback that logs one line a minute in training, validation and prediction."""

    def __init__(self) -> None:
        """Record the time."""
        super().__init__()
        self._logged = time.monotonic()

    def advance(self, trainer: pl.Trainer) -> None:
        """Log a line if the last one is a minute old."""
        if time.monotonic() - self._logged < LOG_EVERY:
            return
        self._logged = time.monotonic()
        done = f"batch {self.stage.done} of {self.stage.batches:g}"
        parts = [done, self.stage.speed, self.whole.left]
        log.info("%s: %s", self.stage.name, ", ".join(filter(None, parts)))
