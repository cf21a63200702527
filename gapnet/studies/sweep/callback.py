"""Hydra callback that checks a sweep, records the result of every job and writes one summary."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, open_dict, read_write

from gapnet.config.error_report import report
from gapnet.config.overrides import quoted, refuse_secrets, root_of
from gapnet.errors import GapnetError
from gapnet.studies.sweep.summary import SweepJob, group_jobs, print_summary, write_summary
from gapnet.system.files import read_json, write_file
from gapnet.system.folders import check_inside
from gapnet.system.output import say
from gapnet.system.ranks import started_together

FOLDER = "hydra.sweep.dir"  # Hydra's key
GROUP = "group"  # key under which loggers group runs
JOBS = "jobs"  # the folder of a sweep with one file per job
SUMMARY = "summary.csv"


class Summary(Callback):
    """Callback that summarizes a sweep.

    Hydra drops what the jobs of a sweep return, and does not load sweepers of other packages.
    So every job, in whichever process it runs, writes a file into the sweep's folder.
    """

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Check the sweep before its first job, and make its folder."""
        with _ending_with_status_1(config):
            check_alone()
            refuse_secrets(config.hydra.overrides.task)
            claim_sweep_folder(config)
            set_group(config)

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **_: Any) -> None:
        """Write the result of a job of a sweep."""
        if config.hydra.mode != RunMode.MULTIRUN:
            return
        folder, error = job_return.return_value
        job = {"overrides": list(job_return.overrides or ()), "folder": folder, "error": error}
        place = Path(config.hydra.sweep.dir) / JOBS
        with _ending_with_status_1(config):
            place.mkdir(parents=True, exist_ok=True)
            write_file(place / f"{config.hydra.job.num}.json", json.dumps(job, indent=2) + "\n")

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Print and write the summary; end with status 1 if a job failed."""
        place = Path(config.hydra.sweep.dir)
        jobs = read_jobs(place / JOBS)
        groups = group_jobs(jobs)
        print_summary(groups, jobs)
        with _ending_with_status_1(config):
            write_summary(groups, jobs, place / SUMMARY)
        say(f"summary: {place / SUMMARY}")
        if any(job.error is not None for job in jobs):
            sys.exit(1)


def claim_sweep_folder(config: DictConfig) -> None:
    """Make the sweep's folder, under another name if one with the same time stamp exists.

    A folder that the user names is used as it is.
    """
    own = config.hydra.overrides.hydra
    if any(override.startswith(f"{FOLDER}=") for override in own):
        return
    named = Path(config.hydra.sweep.dir)
    check_inside(named, Path(config.paths.runs))
    folder = _make_new(named)
    with read_write(config), open_dict(config):
        config.hydra.sweep.dir = str(folder)
        own.append(f"{FOLDER}={quoted(str(folder))}")  # Hydra composes every job with it


def set_group(config: DictConfig) -> None:
    """Group the jobs by the name of the sweep's folder, unless the user names a group."""
    overrides = config.hydra.overrides.task
    if GROUP in config and not any(root_of(override) == GROUP for override in overrides):
        with read_write(config), open_dict(config):
            overrides.append(f"{GROUP}={quoted(Path(config.hydra.sweep.dir).name)}")


def _make_new(folder: Path) -> Path:
    """Make a folder that does not exist, with a number after its name if need be."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        free = folder if number == 1 else folder.with_name(f"{folder.name}.{number}")
        with suppress(FileExistsError):
            free.mkdir()
            return free
    raise AssertionError


@contextmanager
def _ending_with_status_1(config: DictConfig) -> Iterator[None]:
    """Print an error in one line and end the process; Hydra would only warn and continue."""
    try:
        yield
    except (GapnetError, OSError) as error:
        report(str(config.hydra.job.config_name), error)
        sys.exit(1)


def read_jobs(folder: Path) -> list[SweepJob]:
    """Read the results of the jobs of a sweep, in their order."""
    paths = sorted(folder.glob("*.json"), key=lambda path: int(path.stem))
    jobs = [read_json(path) for path in paths]
    return [SweepJob(tuple(job["overrides"]), job["folder"], job["error"]) for job in jobs]


def check_alone() -> None:
    """Refuse to sweep in processes that were started together: all would run the whole sweep."""
    if started_together():
        raise GapnetError(
            "-m: this process was started by a launcher; a sweep starts the processes of its jobs "
            "itself, so run it without a launcher (trainer.devices=...), or run one command per job"
        )
