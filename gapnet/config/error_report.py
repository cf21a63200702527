"""Report an error of a command in one line, on the terminal and in the run's log."""

import logging
import os
import re
import sys
from pathlib import Path

from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from gapnet.config.error_hints import cause_of
from gapnet.config.name_hints import unknown_choice, unknown_key
from gapnet.errors import GapnetError
from gapnet.system.ranks import OUTCOME, is_rank
from gapnet.text.plain_text import plain

TRACEBACK = "HYDRA_FULL_ERROR"  # with 1, Hydra shows tracebacks
KEY_ERRORS = (ConfigAttributeError, ConfigKeyError)
EXPECTED = (GapnetError, HydraException, OmegaConfBaseException, OSError)
OURS = re.compile(r"gapnet(?:\.\w+)+Error: ")  # ends a traceback from another process
log = logging.getLogger(__name__)


def report(name: str, error: BaseException, cfg: DictConfig | None = None) -> str:
    """Print an error in one line, and write it into the run's log; return the line.

    A rank that `run_ranks` started leaves the line in a file, and the first process prints it.
    """
    cause = cause_of(error, cfg)
    hint = "" if cause or isinstance(error, EXPECTED) else f" ({TRACEBACK}=1 shows the traceback)"
    message = plain(f"{cause or _in_one_line(error)}{hint}")
    line = f"gapnet {name}: {message}"
    _write_to_log(line)
    if is_rank():
        Path(os.environ[OUTCOME]).write_text(message)
    else:
        sys.stderr.write(f"{line}\n")
    return message


def _write_to_log(line: str) -> None:
    """Write an error into log.txt, if there is a run; it is already on the console."""
    record = log.makeRecord(log.name, logging.ERROR, __file__, 0, line, (), None)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.FileHandler):
            handler.handle(record)


def _in_one_line(error: BaseException) -> str:
    """Return the message without a worker's traceback and without Hydra's search path."""
    if isinstance(error.__cause__, KEY_ERRORS):
        return unknown_key(error.__cause__)
    if isinstance(error, HydraException) and (line := unknown_choice(str(error))):
        return line
    text = str(error) if isinstance(error, EXPECTED) else f"{type(error).__name__}: {error}"
    text = OURS.split(text)[-1]
    return " ".join(text.partition("Config search path")[0].split())
