"""What a sweep adds to its jobs: what they may not be, what became of them, one summary."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, open_dict, read_write

from gapnet.config.error_report import report
from gapnet.config.overrides import quoted, refuse_secrets
from gapnet.errors import GapnetError
from gapnet.studies.sweep.summary import Job, groups_of, print_summary, write_summary
from gapnet.system.files import read_json, write_file
from gapnet.system.folders import check_inside
from gapnet.system.output import say
from gapnet.system.ranks import started_together

if TYPE_CHECKING:
    from hydra.core.utils import JobReturn

FOLDER = "hydra.sweep.dir"  # Hydra's key
JOBS = "jobs"  # the folder of a sweep that holds what became of each job
SUMMARY = "summary.csv"


class Summary(Callback):
    """Sum a sweep up.

    Hydra drops what a sweep's jobs return, and takes no sweeper from outside its own name space.
    So each job, in whichever process its launcher runs it, leaves a file in the sweep's folder.
    """

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Refuse a sweep that would start itself again."""
        with _reported(config):
            check_alone()
            refuse_secrets(config.hydra.overrides.task)
            claim_folder(config)

    def on_job_end(self, config: DictConfig, job_return: "JobReturn", **_: Any) -> None:
        """Write down what became of a job of a sweep."""
        if config.hydra.mode != RunMode.MULTIRUN:
            return
        folder, error = job_return.return_value
        job = {"overrides": list(job_return.overrides or ()), "folder": folder, "error": error}
        place = Path(config.hydra.sweep.dir) / JOBS
        with _reported(config):
            place.mkdir(parents=True, exist_ok=True)
            write_file(place / f"{config.hydra.job.num}.json", json.dumps(job, indent=2) + "\n")

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Print the table of a sweep and write it; end with status 1 if a job failed."""
        place = Path(config.hydra.sweep.dir)
        jobs = read_jobs(place / JOBS)
        groups = groups_of(jobs)
        print_summary(groups, jobs)
        with _reported(config):
            write_summary(groups, jobs, place / SUMMARY)
        say(f"summary: {place / SUMMARY}")
        if any(job.error is not None for job in jobs):
            sys.exit(1)


def claim_folder(config: DictConfig) -> None:
    """Make the sweep's folder, under another name if there is one with the same time stamp.

    One that the user names is taken as it is.
    """
    own = config.hydra.overrides.hydra
    if any(each.startswith(f"{FOLDER}=") for each in own):
        return
    named = Path(config.hydra.sweep.dir)
    check_inside(named, Path(config.paths.runs))
    folder = _made(named)
    with read_write(config), open_dict(config):
        config.hydra.sweep.dir = str(folder)
        own.append(f"{FOLDER}={quoted(str(folder))}")  # of which Hydra composes each job


def _made(folder: Path) -> Path:
    """Make a folder that is not there yet, with a number behind the name if need be."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        free = folder if number == 1 else folder.with_name(f"{folder.name}.{number}")
        with suppress(FileExistsError):
            free.mkdir()
            return free
    raise AssertionError


@contextmanager
def _reported(config: DictConfig) -> Iterator[None]:
    """End with an error's line and status 1; Hydra would turn it into a warning, and go on."""
    try:
        yield
    except (GapnetError, OSError) as error:
        report(str(config.hydra.job.config_name), error)
        sys.exit(1)


def read_jobs(folder: Path) -> list[Job]:
    """Read what became of the jobs of a sweep, in their order."""
    paths = sorted(folder.glob("*.json"), key=lambda path: int(path.stem))
    read = [read_json(path) for path in paths]
    return [Job(tuple(each["overrides"]), each["folder"], each["error"]) for each in read]


def check_alone() -> None:
    """Refuse to sweep in processes that were started together: each would run the whole sweep."""
    if started_together():
        raise GapnetError(
            "-m: this process was started together with others; a sweep starts those of its jobs "
            "by itself, so call it plainly (trainer.devices=...), or start one command per job"
        )
