"""Errors whose message is for the user, printed without a traceback."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gapnet.text.plain_text import plain
from gapnet.text.redact import redact

LONGEST = 800  # characters of a message; it may quote a line of a file, of any length
END = 200  # characters of its end, which says what to do
READ = 10 * LONGEST  # characters at both ends of a message that are processed
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
FULL_TEXT = re.compile("No space left on device|Disk quota exceeded|disk is full")
MEMORY = re.compile(
    r"out of memory|(?:can't|cannot|failed to|unable to) allocate|insufficient memory|bad_alloc|"
    r"_alloc_failed|can't start new thread",
    re.IGNORECASE,
)
WRAPPED = re.compile(r"gapnet(?:\.\w+)+Error: ")  # end of the traceback that a loader's worker adds


class GapnetError(Exception):
    """Error in one line: what is wrong, where, and what to do; it has no traceback."""

    def __str__(self) -> str:
        r"""Return the message in one line of bounded length, without secrets.

        >>> str(GapnetError("a.yaml: is not readable YAML (while parsing\n  line 1)"))
        'a.yaml: is not readable YAML (while parsing line 1)'
        """
        text = WRAPPED.split(super().__str__())[-1]
        if len(text) > 2 * READ:
            text = text[:READ] + text[-READ:]
        line = plain(redact(text))
        return line if len(line) <= LONGEST else f"{line[: LONGEST - END]} ... {line[-END:]}"


class MissingSplitError(GapnetError):
    """Error for a split that a data set does not have."""


@contextmanager
def reading(path: Path, failing: str, fix: str = "") -> Iterator[None]:
    """Turn any error while a file is read into a GapnetError that names the file.

    Decoders may raise any exception at damaged or malicious files.

    Args:
        path: path of the file.
        failing: the problem, such as "is not readable JSON".
        fix: what to do about it.
    """
    try:
        yield
    except GapnetError:
        raise
    except FileNotFoundError as error:
        raise GapnetError(f"{path}: no such file") from error
    except Exception as error:
        advice = f"; {fix}" if fix else ""
        raise GapnetError(f"{path}: {failing} ({reason(error)}){advice}") from error


def reason(error: Exception) -> str:
    """Return the reason of an error in a few words, or else the name of the exception."""
    if isinstance(error, UnicodeDecodeError):
        return f"{error.reason} at byte {error.start}"
    return str(getattr(error, "strerror", None) or error) or type(error).__name__


def full_disk(error: BaseException) -> str | None:
    """Return the message of an error if it means that a disk is full or a quota is used up."""
    if isinstance(error, OSError) and error.errno in FULL:
        return os.strerror(error.errno)
    match = None if isinstance(error, RuntimeError) else FULL_TEXT.search(str(error))
    return match and match[0]  # torch's RuntimeErrors are about shared memory


def out_of_memory(error: BaseException | None) -> bool:
    """Return whether an error of any library means that memory ran out."""
    full = isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM
    return full or bool(MEMORY.search(str(error)))
