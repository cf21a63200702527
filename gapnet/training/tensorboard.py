"""Logger for TensorBoard."""

import logging
import os
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from PIL import Image
from pytorch_lightning.utilities import rank_zero_only
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams.summary_v2 import hparams_pb
from tensorboard.summary.writer.record_writer import RecordWriter

from gapnet.errors import reason
from gapnet.text.plain_text import plain
from gapnet.training.logger_base import LoggedImage, LoggedRun, RunLogger

VERSION = "brain.Event:2"  # of the files that TensorBoard reads
log = logging.getLogger(__name__)


class Board(RunLogger):
    """Logger that writes for TensorBoard; when writing fails, it warns once and stops.

    Lightning's logger writes in a thread; an error there prints a traceback and then ends the
    training.
    """

    def __init__(self, folder: Path, *, purge_step: int | None = None) -> None:
        """Log into a folder; TensorBoard then hides what was logged there from `purge_step` on."""
        super().__init__()
        self.folder, self.purge_step = folder, purge_step
        self._file: BinaryIO | None = None
        self._failed = False

    @property
    def save_dir(self) -> str:
        """Return the folder."""
        return str(self.folder)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Add a value to every curve."""
        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in metrics.items()]
        self._write([Event(step=step, summary=Summary(value=values))])

    def start(self, run: LoggedRun) -> None:
        """Write the hyper-parameters, for the HParams page; its metrics are the curves' ends."""
        if run.hyperparameters:
            # The folder keeps runs with the same hyper-parameters apart
            summary = hparams_pb(dict(run.hyperparameters), trial_id=str(run.folder))
            self._write([Event(summary=summary)])

    @rank_zero_only
    def log_images(self, images: Sequence[LoggedImage], step: int) -> None:
        """Add images; those of one name and different steps are shown with a slider."""
        values = [Summary.Value(tag=plain(item.name), image=_png(item.image)) for item in images]
        self._write([Event(step=step, summary=Summary(value=[value])) for value in values])

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Close the file; later values go to a new one."""
        del status
        if self._file is not None:
            with suppress(OSError):  # the first failure was logged
                self._file.close()
        self._file = None

    def _write(self, events: list[Event]) -> None:
        """Write events to the disk, unless that has failed before."""
        if self._failed:
            return
        try:
            if self._file is None:
                self._file = self._open()
                events = [*self._head(), *events]
            records = RecordWriter(self._file)
            for event in events:
                event.wall_time = time.time()
                records.write(event.SerializeToString())
            self._file.flush()
        except OSError as error:
            self._failed = True
            message = "%s: cannot be written (%s); the training continues without TensorBoard"
            log.warning(message, self.folder, reason(error))

    def _open(self) -> BinaryIO:
        """Open a file with a new name: TensorBoard reads files in the order of their names."""
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}"
        return (self.folder / name).open("xb")

    def _head(self) -> list[Event]:
        """Return the first events of a file."""
        if self.purge_step is None:
            return [Event(file_version=VERSION)]
        start = Event(step=self.purge_step, session_log=SessionLog(status=SessionLog.START))
        return [Event(file_version=VERSION), start]


def _png(image: Image.Image) -> Summary.Image:
    file = BytesIO()
    image.convert("RGB").save(file, format="PNG")
    return Summary.Image(
        height=image.height,
        width=image.width,
        colorspace=3,
        encoded_image_string=file.getvalue(),
    )
