"""What jobs that show a data set to a chosen network share: their fields, and how they start."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytorch_lightning as pl

from gapnet.data.sample import Source
from gapnet.jobs.evaluation import MakeData
from gapnet.jobs.job import Job, Run, open_job
from gapnet.jobs.rules import MakeSource
from gapnet.jobs.trainer_ranks import connect, run_in_ranks
from gapnet.jobs.trainers import MakeTrainer, predicting_trainer
from gapnet.models.gapnet import GapNet
from gapnet.models.network_choice import NetworkChoice
from gapnet.system.distributed import first_on_machine


@dataclass(frozen=True, kw_only=True)
class NetworkJob:
    """A job that shows a data set to a network.

    Args:
        run: where the job writes.
        network: that it runs.
        source: makes the data set.
        data: makes the data module of a data set and a network.
        resume: whether existing results are reused.
        of_run: the run whose network it is, if the folder is in its folder.
    """

    run: Run
    network: NetworkChoice
    source: MakeSource
    data: MakeData
    resume: bool = False
    of_run: Path | None = None

    def make_source(self) -> Source:
        """Make the data set; the first rank draws or downloads what the other ranks then read."""
        with first_on_machine():
            return self.source()


class Opened(NamedTuple):
    """A job that runs in this process, its trainer, and its network."""

    job: Job
    trainer: pl.Trainer
    network: GapNet


@contextmanager
def open_network_job(settings: NetworkJob, make_trainer: MakeTrainer) -> Iterator[Opened | None]:
    """Open a job and load its network; None in a process that only started ranks.

    The folder is not opened yet, so that the job can check its data set before it writes.
    """
    with open_job(settings.run) as job:
        trainer = predicting_trainer(make_trainer)
        if run_in_ranks(job.run, trainer):
            yield None
            return
        connect(trainer)
        yield Opened(job, trainer, settings.network.load())
