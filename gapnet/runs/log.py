"""The log, on the console and in log.txt of a run: one line of plain text per record."""

import logging
import sys
from contextlib import suppress
from pathlib import Path

from gapnet.errors import reason
from gapnet.text.plain_text import plain
from gapnet.text.redact import redact

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
log = logging.getLogger(__name__)


class PlainFormatter(logging.Formatter):
    """Formatter for one line of plain text, without secrets; a traceback keeps its lines."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as text, with its traceback."""
        return "\n".join(map(plain, redact(super().format(record)).split("\n")))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's name)
        """Return a record as text, without its traceback."""
        return plain(redact(super().formatMessage(record)))


class RunLog(logging.FileHandler):
    """Handler that writes to log.txt; when writing fails, it warns once and stops.

    The file stays open, because the run is locked by it.
    """

    def __init__(self, path: Path) -> None:
        """Open a file to append to it."""
        super().__init__(path, encoding="utf-8")
        self.setFormatter(PlainFormatter(FORMAT))
        self.failed = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        if not self.failed:
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (logging's name)
        """Stop writing to the file if it cannot be written, and warn."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
            return
        self.failed = True
        message = "%s: cannot be written (%s); nothing more is logged there"
        log.warning(message, self.baseFilename, reason(error))

    def flush(self) -> None:
        """Write what is in memory, unless writing has failed before."""
        if not self.failed:
            super().flush()

    def close(self) -> None:
        """Close the file; what could not be written is lost."""
        with suppress(OSError):
            super().close()

    def detach(self) -> None:
        """Stop logging, and release the lock on the run by closing the file."""
        logging.getLogger().removeHandler(self)
        self.close()
