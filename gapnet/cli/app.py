"""Hydra, with errors that take one line."""

import difflib
import logging
import os
import re
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, Protocol

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

import gapnet
from gapnet.cli.error_hints import cause_of
from gapnet.config.build import conf_folder
from gapnet.config.run_folder import evaluation_folder, run_id
from gapnet.errors import GapnetError
from gapnet.system.ranks import OUTCOME, is_rank
from gapnet.system.signals import STATUS
from gapnet.text.plain_text import plain

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


class Outcome(NamedTuple):
    """Tell what became of a job in plain values, which come back from any process."""

    folder: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class Task:
    """Do a command's task with a configuration; launchers hand this object to other processes.

    Args:
        name: of the command.
        command: which does the work.
        wanted: what the user set HYDRA_FULL_ERROR to.
    """

    name: str
    command: Command
    wanted: str | None

    def __call__(self, cfg: DictConfig) -> Outcome:
        """Do the task; in a sweep an error is an outcome, since it must not stop the other jobs."""
        register_resolvers()
        with _switch(TRACEBACK, self.wanted):
            try:
                _import(cfg.imports)
                self.command.task(cfg)
                return Outcome(folder=_folder_of(cfg))
            except Exception as error:
                return self._report(error, cfg)

    def _report(self, error: Exception, cfg: DictConfig) -> Outcome:
        alone = HydraConfig.get().mode != RunMode.MULTIRUN
        if self.wanted == "1":
            if alone:
                raise error
            traceback.print_exception(error)
        outcome = Outcome(error=report(self.name, error, cfg))
        if alone:
            sys.exit(1)  # raised, Hydra would write lines of its own
        return outcome


def launch(name: str, command: Command) -> None:
    """Compose a command's configuration from the arguments, and do its task with it.

    A sweep does the task once for each of its jobs, and gapnet.studies.sweep sums up. An error
    takes one line, and status 1 at the end; it does not stop the other jobs.
    """
    register_resolvers()
    wanted = os.environ.get(TRACEBACK)
    with _switch(TRACEBACK, "1"), _switch("PYTHONPATH", _python_path()):
        try:
            arguments = command.complete(sys.argv[1:])
            # Hydra takes its -m only in front of the overrides
            sys.argv = [sys.argv[0], *sorted(arguments, key=lambda each: each not in SWEEP)]
            task = Task(name, command, wanted)
            hydra.main(version_base="1.3", config_path=str(conf_folder()), config_name=name)(task)()
        except KeyboardInterrupt:
            sys.exit(STATUS[signal.SIGINT])
        except Exception as error:
            if wanted == "1":
                raise
            report(name, error)
            sys.exit(1)


def register_resolvers() -> None:
    """Tell OmegaConf what conf/ may ask for; each process has to be told."""
    OmegaConf.register_new_resolver("run_id", run_id, replace=True)
    OmegaConf.register_new_resolver("evaluation_folder", evaluation_folder, replace=True)


def report(name: str, error: BaseException, cfg: DictConfig | None = None) -> str:
    """Print an error in one line, and write it into the run's log; give back what it says.

    A rank leaves it to the process that started it.
    """
    cause = cause_of(error, cfg)
    hint = "" if cause or isinstance(error, EXPECTED) else f" ({TRACEBACK}=1 shows where)"
    said = plain(f"{cause or _in_one_line(error)}{hint}")
    line = f"gapnet {name}: {said}"
    _write_to_log(line)
    if is_rank():
        Path(os.environ[OUTCOME]).write_text(said)
    else:
        print(line, file=sys.stderr)
    return said


def _folder_of(cfg: DictConfig) -> str | None:
    folder = cfg.get("folder")
    return None if folder is None else str(Path(folder).absolute())


def _python_path() -> str | None:
    """Put the checkout on the path of other processes, which start from elsewhere than train.py."""
    told, checkout = os.environ.get("PYTHONPATH"), conf_folder().parent
    if not (checkout / gapnet.__name__).is_dir():
        return told  # installed as a wheel
    return os.pathsep.join([str(checkout), *([told] if told else [])])


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
def _switch(name: str, value: str | None) -> Iterator[None]:
    before = os.environ.pop(name, None)
    os.environ.update({} if value is None else {name: value})
    try:
        yield
    finally:
        os.environ.pop(name, None)
        os.environ.update({} if before is None else {name: before})


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
