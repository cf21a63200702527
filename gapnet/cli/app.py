"""Run a command with Hydra, and print errors in one line."""

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
from gapnet.config.overrides import root_of
from gapnet.config.own_modules import add_own_modules
from gapnet.config.run_id import register_resolvers
from gapnet.errors import GapnetError
from gapnet.system.signals import end_interrupted


class Command(Protocol):
    """Module of gapnet/cli/commands."""

    def complete(self, arguments: list[str]) -> list[str]:
        """Return the arguments that Hydra gets."""
        ...

    def task(self, cfg: DictConfig) -> None:
        """Run the command."""
        ...


class JobOutcome(NamedTuple):
    """Result of a job in plain values, which can be sent between processes."""

    folder: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class Task:
    """Callable that runs a command with a configuration; launchers send it to other processes.

    Args:
        name: name of the command.
        command: module of the command.
        full_error: the user's value of HYDRA_FULL_ERROR; None if it is not set.
    """

    name: str
    command: Command
    full_error: str | None

    def __call__(self, cfg: DictConfig) -> JobOutcome:
        """Run the command; in a sweep, return an error, so that the other jobs continue."""
        register_resolvers()
        with _environment_variable(TRACEBACK, self.full_error):
            try:
                add_own_modules(cfg)
                _import(cfg.imports)
                self.command.task(cfg)
                return JobOutcome(folder=_folder_of(cfg))
            except Exception as error:
                return self._report(error, cfg)

    def _report(self, error: Exception, cfg: DictConfig) -> JobOutcome:
        is_sweep = HydraConfig.get().mode == RunMode.MULTIRUN
        if self.full_error == "1":
            if not is_sweep:
                raise error
            traceback.print_exception(error)
        outcome = JobOutcome(error=report(self.name, error, cfg))
        if not is_sweep:
            sys.exit(1)  # for an exception, Hydra would print more lines
        return outcome


def launch(name: str, command: Command) -> None:
    """Compose a command's configuration from the arguments, and run the command with it.

    In a sweep the command runs once per job, and gapnet.studies.sweep prints a summary. An error
    is printed in one line, and the exit status is 1; the other jobs of a sweep continue.
    """
    register_resolvers()
    full_error = os.environ.get(TRACEBACK)
    with (
        _environment_variable(TRACEBACK, "1"),
        _environment_variable("PYTHONPATH", _python_path()),
    ):
        try:
            arguments = command.complete(sys.argv[1:])
            check_flags(name, arguments)
            sys.argv = [sys.argv[0], *sorted(arguments, key=_is_override)]
            task = Task(name, command, full_error)
            hydra.main(version_base="1.3", config_path=str(conf_folder()), config_name=name)(task)()
        except KeyboardInterrupt:
            end_interrupted(name)
        except Exception as error:
            if full_error == "1":
                raise
            report(name, error)
            sys.exit(1)


def _is_override(argument: str) -> bool:
    """Return whether an argument is an override, which Hydra accepts only behind all flags."""
    return root_of(argument) is not None


def _folder_of(cfg: DictConfig) -> str | None:
    folder = cfg.get("folder")
    return None if folder is None else str(Path(folder).absolute())


def _python_path() -> str | None:
    """Return the PYTHONPATH with which other processes import gapnet from this checkout."""
    python_path, checkout = os.environ.get("PYTHONPATH"), conf_folder().parent
    if not (checkout / gapnet.__name__).is_dir():
        return python_path  # gapnet is installed from a wheel
    return os.pathsep.join([str(checkout), *([python_path] if python_path else [])])


def _import(modules: Sequence[str]) -> None:
    """Import the user's modules, which register networks."""
    for name in modules:
        try:
            import_module(name)
        except ImportError as error:
            raise GapnetError(
                f"imports=[{name}]: cannot be imported ({error}); add its folder to PYTHONPATH"
            ) from error


@contextmanager
def _environment_variable(name: str, value: str | None) -> Iterator[None]:
    """Set an environment variable for the block; None removes it."""
    before = os.environ.pop(name, None)
    os.environ.update({} if value is None else {name: value})
    try:
        yield
    finally:
        os.environ.pop(name, None)
        os.environ.update({} if before is None else {name: before})
