"""What TensorBoard shows of a run."""

import logging
import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from PIL import Image
from pytorch_lightning.utilities import rank_zero_only
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from gapnet.errors import reason
from gapnet.text.plain_text import plain
from gapnet.training.logger_base import RunLogger

VERSION = "brain.Event:2"  # of the files that TensorBoard reads
log = logging.getLogger(__name__)


class Board(RunLogger):
    """Logger that writes for TensorBoard until that fails, as on a full disk, and says so once.

    Lightning's own logger writes in a thread; its error there is a traceback, and then ends the
    training.
    """

    def __init__(self, folder: Path, *, purge_step: int | None = None) -> None:
        """Log into a folder; what was logged there from `purge_step` on is not shown any more."""
        super().__init__()
        self.folder, self.purge_step = folder, purge_step
        self._file: BinaryIO | None = None
        self._failed = False

    @property
    def save_dir(self) -> str:
        """Name the folder."""
        return str(self.folder)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Add a value to each curve."""
        values = [Summary.Value(tag=tag, simple_value=each) for tag, each in metrics.items()]
        self._write([Event(step=step, summary=Summary(value=values))])

    @rank_zero_only
    def log_image(self, tag: str, image: Image.Image) -> None:
        """Add a picture under a name."""
        png = BytesIO()
        image.convert("RGB").save(png, format="PNG")
        pixels = Summary.Image(
            height=image.height,
            width=image.width,
            colorspace=3,
            encoded_image_string=png.getvalue(),
        )
        self._write([Event(summary=Summary(value=[Summary.Value(tag=plain(tag), image=pixels)]))])

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Close the file; what is logged later goes to another."""
        del status
        if self._file is not None:
            with suppress(OSError):  # which was said when it was met first
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
            told = "%s: cannot be written (%s); TensorBoard shows nothing of what follows"
            log.warning(told, self.folder, reason(error))

    def _open(self) -> BinaryIO:
        """Open a file of a new name: TensorBoard reads files in the order of their names."""
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}"
        return (self.folder / name).open("xb")

    def _head(self) -> list[Event]:
        """Begin a file."""
        if self.purge_step is None:
            return [Event(file_version=VERSION)]
        start = Event(step=self.purge_step, session_log=SessionLog(status=SessionLog.START))
        return [Event(file_version=VERSION), start]
