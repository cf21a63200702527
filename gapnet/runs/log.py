"""What is logged: one plain line a record, on the console and in a run's log.txt."""

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
        """Write a record, and the traceback that belongs to it."""
        return "\n".join(map(plain, redact(super().format(record)).split("\n")))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's name)
        """Write the record alone."""
        return plain(redact(super().formatMessage(record)))


class RunLog(logging.FileHandler):
    """Handler that writes to log.txt until that fails, as on a full disk, and says so once.

    The file stays open all the same: a run is locked by it.
    """

    def __init__(self, path: Path) -> None:
        """Open a file, to add to it."""
        super().__init__(path, encoding="utf-8")
        self.setFormatter(PlainFormatter(FORMAT))
        self.failed = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        if not self.failed:
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (logging's name)
        """Leave the file alone from now on if it cannot be written."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
            return
        self.failed = True
        told = "%s: cannot be written (%s); nothing more is logged there"
        log.warning(told, self.baseFilename, reason(error))

    def flush(self) -> None:
        """Write what is in memory; of a file that failed it would fail again."""
        if not self.failed:
            super().flush()

    def close(self) -> None:
        """Close the file; what a full disk had no room for is lost."""
        with suppress(OSError):
            super().close()

    def detach(self) -> None:
        """Log no more, and end the lock that the open file holds."""
        logging.getLogger().removeHandler(self)
        self.close()
