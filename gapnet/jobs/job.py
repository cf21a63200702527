"""What all jobs share: ranks, the run folder, its lock and log, signals."""

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gapnet.errors import GapnetError
from gapnet.runs.folder import is_run
from gapnet.runs.log import RunLog
from gapnet.runs.opening import link_latest, open_run
from gapnet.runs.saved_config import read_saved_config
from gapnet.system.distributed import wait_for_all
from gapnet.system.folders import check_inside, check_length
from gapnet.system.ranks import is_first
from gapnet.system.signals import handled, raise_stopped

log = logging.getLogger(__name__)
Config = Mapping[str, Any]


def changed_values(begun: Config, now: Config) -> list[str]:
    """List the top-level keys in which two configurations differ.

    >>> changed_values({"seed": 0}, {"seed": 1})
    ['seed=0, not 1']
    """
    keys = sorted(begun.keys() | now.keys())
    return [f"{k}={begun.get(k)}, not {now.get(k)}" for k in keys if begun.get(k) != now.get(k)]


@dataclass(frozen=True)
class Run:
    """Where a job writes, and what describes it there.

    Args:
        folder: of the run.
        runs: the folder of all runs; no symbolic link may lead out of it.
        config: plain values that config.yaml keeps.
        seed: that env.json keeps.
        command: a gapnet command and its arguments, which run this job in another process.
        differences: lists how the jobs of two configurations differ.
    """

    folder: Path
    runs: Path = Path("runs")
    config: Config = field(default_factory=dict)
    seed: int | None = None
    command: Sequence[str] = ()
    differences: Callable[[Config, Config], list[str]] = changed_values

    def check_same(self, folder: Path, *, advice: str) -> None:
        """Refuse to continue a run in a folder if another configuration began it."""
        differences = self.differences(read_saved_config(folder), self.config)
        if differences:
            raise GapnetError(
                f"folder={folder}: was started with {'; with '.join(differences)}; {advice}"
            )


class Job:
    """A job that is running."""

    def __init__(self, run: Run) -> None:
        """Describe the job; its folder is created by `open`."""
        self.run = run
        self.folder = run.folder.absolute()
        self._log: RunLog | None = None

    def open(self, config: Config | None = None, *, continues: bool) -> None:
        """Open the run folder by the first rank; the others wait.

        Args:
            config: describes the job in place of the run's.
            continues: whether an earlier run in the folder continues; else it is moved aside.
        """
        if is_first():
            described = self.run.config if config is None else config
            self._log = open_run(self.folder, described, seed=self.run.seed, continues=continues)
        wait_for_all()

    def open_evaluation(self, *, resume: bool, of_run: Path | None = None) -> None:
        """Open the folder of an evaluation; with resume, one that was interrupted continues.

        Args:
            resume: whether existing predictions are reused.
            of_run: the run that is evaluated; no symbolic link may lead out of its folder.
        """
        if is_first():
            if of_run is not None:
                check_inside(self.folder, of_run)
            if resume and is_run(self.folder):
                advice = "leave out resume=true, or name another folder=..."
                self.run.check_same(self.folder, advice=advice)
                log.info("continuing %s", self.folder)
        self.open(continues=resume)

    def link_latest(self) -> None:
        """Point RUNS/latest at this run."""
        link_latest(self.folder, self.run.runs)

    def close(self) -> None:
        """Close the log, and so end the lock."""
        if self._log is not None:
            self._log.detach()


@contextmanager
def open_job(run: Run) -> Iterator[Job]:
    """Check the folder of a job, and handle signals while it runs.

    After an error the log stays open, so that the error is written to it; the process's end, or
    the next job in the folder, ends the lock.
    """
    quiet_lightning()
    check_length(run.folder.absolute())
    check_inside(run.folder.absolute(), run.runs)
    job = Job(run)
    with handled(raise_stopped):
        yield job
    job.close()


def quiet_lightning() -> None:
    """Show only Lightning's warnings and errors, and only those of the first rank."""
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    if not is_first():
        logging.getLogger().setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="(pytorch_lightning|lightning_fabric|torchmetrics)")
