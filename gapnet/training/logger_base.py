"""Base classes of the loggers of a run."""

import logging
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from pytorch_lightning.loggers import Logger

from gapnet.text.plain_text import plain
from gapnet.text.redact import redact

log = logging.getLogger(__name__)


class LoggedImage(NamedTuple):
    """An image for loggers, with its name, such as "pictures/0 ID", and a caption."""

    name: str
    caption: str
    image: Image.Image


@dataclass(frozen=True)
class LoggedRun:
    """What loggers say about a run.

    Args:
        folder: of the run.
        runs: the folder of all runs.
        group: name of the sweep, search or other group that the run belongs to.
        hyperparameters: by key.
    """

    folder: Path
    runs: Path = Path("runs")
    group: str | None = None
    hyperparameters: Mapping[str, bool | float | str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the last two parts of the folder, such as tiny_gap-shapes/10e424fa."""
        return "/".join(self.folder.parts[-2:])


class RunLogger(Logger):
    """Logger of one run. Only the first rank starts it."""

    @property
    def name(self) -> str | None:
        """Return None: a run has no name."""
        return None

    @property
    def version(self) -> str:
        """Return an empty string: a run has no version."""
        return ""

    def log_hyperparams(self, params: object) -> None:
        """Write nothing: `start` gets the hyper-parameters."""

    def start(self, run: LoggedRun) -> None:
        """Begin, or continue if the run continues; an error ends the training."""

    def log_images(self, images: Sequence[LoggedImage], step: int) -> None:
        """Add images of a step."""

    def finish(self, *, failed: bool, files: Sequence[Path] = ()) -> None:
        """End the run, in which these files were written."""


class ServiceLogger(RunLogger):
    """Logger to another program, such as W&B; when it fails, it warns once and stops."""

    service = ""

    def __init__(self) -> None:
        """Wait for the start."""
        super().__init__()
        self._started = self._failed = False

    def start(self, run: LoggedRun) -> None:
        """Begin, or continue if the run continues."""
        self.open(run)
        self._started = True

    @abstractmethod
    def open(self, run: LoggedRun) -> None:
        """Begin or continue the run of the program."""

    def attempt(self, action: Callable[[], object]) -> None:
        """Log something, unless that has failed before."""
        if self._failed or not self._started:
            return
        try:
            action()
        except Exception as error:  # of any type; a training must not end for it
            self._failed = True
            message = "%s: failed (%s); the training continues without it"
            log.warning(message, self.service, plain(redact(str(error))))


@contextmanager
def finishing(loggers: Sequence[Logger], files: Sequence[Path]) -> Iterator[None]:
    """Finish loggers at the end of the block; files that exist by then belong to the run."""
    failed = True
    try:
        yield
        failed = False
    finally:
        for logger in loggers:
            if isinstance(logger, RunLogger):
                logger.finish(failed=failed, files=[path for path in files if path.is_file()])
