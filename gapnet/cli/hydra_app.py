"""Hydra, with errors that take one line."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from gapnet.cli.config import conf_folder
from gapnet.cli.runs import evaluation_folder, run_id
from gapnet.errors import GapnetError

TRACEBACK = "HYDRA_FULL_ERROR"  # Hydra's own switch: with 1 it lets exceptions pass
EXPECTED = (GapnetError, HydraException, OmegaConfBaseException, OSError)


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

    A sweep does the task once for each of its jobs. An expected error takes one line, and status 1
    at the end; it does not stop the other jobs.
    """
    OmegaConf.register_new_resolver("run_id", run_id, replace=True)
    OmegaConf.register_new_resolver("evaluation_folder", evaluation_folder, replace=True)
    wanted = os.environ.get(TRACEBACK)
    failures: list[BaseException] = []

    def report(error: BaseException) -> None:
        if wanted == "1":
            raise error
        print(f"gapnet {name}: {_in_one_line(error)}", file=sys.stderr)
        failures.append(error)

    def task(cfg: DictConfig) -> None:
        with _switch(wanted):
            try:
                command.task(cfg)
            except EXPECTED as error:
                report(error)

    with _switch("1"):
        try:
            sys.argv = [sys.argv[0], *command.complete(sys.argv[1:])]
            hydra.main(version_base="1.3", config_path=str(conf_folder()), config_name=name)(task)()
        except EXPECTED as error:
            report(error)
    if failures:
        sys.exit(1)


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
    text = str(error)
    marker = f"{GapnetError.__module__}.{GapnetError.__name__}: "
    if marker in text:
        text = text.rpartition(marker)[2]
    text = text.partition("Config search path")[0]
    return " ".join(text.split()).replace(
        " To append to your config use +", "; to add a key that is not there: +"
    )
