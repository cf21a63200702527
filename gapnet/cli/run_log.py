"""What is logged: one plain line a record, on the console and in a run's log.txt."""

import logging

from gapnet.plain_text import plain

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class PlainFormatter(logging.Formatter):
    """Formatter that writes a record in one line of plain text; a traceback keeps its lines."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record, and the traceback that belongs to it."""
        return "\n".join(map(plain, super().format(record).split("\n")))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's name)
        """Write the record alone."""
        return plain(super().formatMessage(record))
