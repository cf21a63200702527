"""Hydra, with errors that take one line."""

import os
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
from hydra.types import RunMode
from omegaconf import DictConfig

import gapnet
from gapnet.config.conf_folder import conf_folder
from gapnet.config.error_report import TRACEBACK, report
from gapnet.config.name_hints import check_flags
from gapnet.config.own_modules import add_own_modules
from gapnet.config.run_id import register_resolvers
from gapnet.errors import GapnetError
from gapnet.system.signals import end_interrupted

SWEEP = ("-m", "--multirun")


class Command(Protocol):
    """A module of gapnet/cli/commands."""

    def complete(self, arguments: list[str]) -> list[str]:
        """Add to the arguments what follows from them."""
        ...

    def task(self, cfg: DictConfig) -> None:
        """Do the work."""
        ...


class JobOutcome(NamedTuple):
    """Result of a job in plain values, which can be passed between processes."""

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

    def __call__(self, cfg: DictConfig) -> JobOutcome:
        """Do the task; in a sweep an error is an outcome, since it must not stop the other jobs."""
        register_resolvers()
        with _switch(TRACEBACK, self.wanted):
            try:
                add_own_modules(cfg)
                _import(cfg.imports)
                self.command.task(cfg)
                return JobOutcome(folder=_folder_of(cfg))
            except Exception as error:
                return self._report(error, cfg)

    def _report(self, error: Exception, cfg: DictConfig) -> JobOutcome:
        alone = HydraConfig.get().mode != RunMode.MULTIRUN
        if self.wanted == "1":
            if alone:
                raise error
            traceback.print_exception(error)
        outcome = JobOutcome(error=report(self.name, error, cfg))
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
            check_flags(name, arguments)
            # Hydra takes its -m only in front of the overrides
            sys.argv = [sys.argv[0], *sorted(arguments, key=lambda each: each not in SWEEP)]
            task = Task(name, command, wanted)
            hydra.main(version_base="1.3", config_path=str(conf_folder()), config_name=name)(task)()
        except KeyboardInterrupt:
            end_interrupted(name)
        except Exception as error:
            if wanted == "1":
                raise
            report(name, error)
            sys.exit(1)


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


@contextmanager
def _switch(name: str, value: str | None) -> Iterator[None]:
    before = os.environ.pop(name, None)
    os.environ.update({} if value is None else {name: value})
    try:
        yield
    finally:
        os.environ.pop(name, None)
        os.environ.update({} if before is None else {name: before})
