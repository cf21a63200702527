"""Hydra, with errors that take one line."""

import difflib
import logging
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Protocol

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from gapnet.cli.config import conf_folder
from gapnet.cli.runs import evaluation_folder, run_id
from gapnet.errors import GapnetError

log = logging.getLogger(__name__)
TRACEBACK = "HYDRA_FULL_ERROR"  # Hydra's own switch: with 1 it lets exceptions pass
KEY_ERRORS = (ConfigAttributeError, ConfigKeyError)
EXPECTED = (GapnetError, HydraException, OmegaConfBaseException, OSError)
SWEEP = ("-m", "--multirun")
OURS = re.compile(r"gapnet(?:\.\w+)+Error: ")  # how a traceback from another process ends


class Command(Protocol):
    """What a module of this room offers as a command."""

    def complete(self, arguments: list[str]) -> list[str]:
        """Add to the arguments what follows from them."""
        ...

    def task(self, cfg: DictConfig) -> None:
        """Do the work."""
        ...


def launch(name: str, command: Command) -> None:
    """Compose a command's configuration from the arguments, and do its task with it.

    A sweep does the task once for each of its jobs. An error takes one line, and status 1 at the
    end; it does not stop the other jobs.
    """
    OmegaConf.register_new_resolver("run_id", run_id, replace=True)
    OmegaConf.register_new_resolver("evaluation_folder", evaluation_folder, replace=True)
    wanted = os.environ.get(TRACEBACK)
    failures: list[BaseException] = []

    def report(error: BaseException) -> None:
        if wanted == "1":
            raise error
        hint = "" if isinstance(error, EXPECTED) else f" ({TRACEBACK}=1 shows where)"
        line = f"gapnet {name}: {_in_one_line(error)}{hint}"
        print(line, file=sys.stderr)
        _write_to_log(line)
        failures.append(error)

    def task(cfg: DictConfig) -> None:
        with _switch(wanted):
            try:
                _import(cfg.imports)
                command.task(cfg)
            except Exception as error:
                report(error)

    with _switch("1"):
        try:
            arguments = command.complete(sys.argv[1:])
            # Hydra takes its -m only in front of the overrides
            sys.argv = [sys.argv[0], *sorted(arguments, key=lambda each: each not in SWEEP)]
            hydra.main(version_base="1.3", config_path=str(conf_folder()), config_name=name)(task)()
        except Exception as error:
            report(error)
    if failures:
        sys.exit(1)


def _import(modules: Sequence[str]) -> None:
    """Import what the user names, for the networks that it registers."""
    for name in modules:
        try:
            import_module(name)
        except ImportError as error:
            raise GapnetError(
                f"imports: {name} cannot be imported ({error}); is its folder on PYTHONPATH?"
            ) from error


def _write_to_log(line: str) -> None:
    """Write an error into log.txt, if a run has begun; the console has it already."""
    record = log.makeRecord(log.name, logging.ERROR, __file__, 0, line, (), None)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.FileHandler):
            handler.handle(record)


@contextmanager
def _switch(value: str | None) -> Iterator[None]:
    before = os.environ.pop(TRACEBACK, None)
    os.environ.update({} if value is None else {TRACEBACK: value})
    try:
        yield
    finally:
        os.environ.pop(TRACEBACK, None)
        os.environ.update({} if before is None else {TRACEBACK: before})


def _in_one_line(error: BaseException) -> str:
    """Keep what a person needs: a loader's worker adds a traceback, Hydra its search path."""
    if isinstance(error.__cause__, KEY_ERRORS):
        return _unknown_key(error.__cause__)
    text = str(error) if isinstance(error, EXPECTED) else f"{type(error).__name__}: {error}"
    text = OURS.split(text)[-1]
    return " ".join(text.partition("Config search path")[0].split())


def _unknown_key(error: OmegaConfBaseException) -> str:
    """Name a key that is not there, and those that are."""
    siblings = [str(name) for name in error.parent_node or () if name != "hydra"]
    near = difflib.get_close_matches(str(error.key), siblings, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return (
        f"{error.full_key}: no such key; {hint}there are: {', '.join(siblings)} (+KEY=... adds one)"
    )
