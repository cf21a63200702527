"""What a sweep adds to its jobs: what they may not be, what became of them, one summary."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig

from gapnet.cli.sweep_summary import Job, groups_of, print_summary, write_summary
from gapnet.errors import GapnetError
from gapnet.layout import write_whole

if TYPE_CHECKING:
    from hydra.core.utils import JobReturn

JOBS = "jobs"  # the folder of a sweep that holds what became of each job
SUMMARY = "summary.csv"
SPAWNING = ("_spawn", "_fork", "_notebook")  # how the strategies end that leave this process alone
ALL = ("auto", -1, "-1")


class Summary(Callback):
    """Sum a sweep up.

    Hydra drops what a sweep's jobs return, and takes no sweeper from outside its own name space.
    So each job, in whichever process its launcher runs it, leaves a file in the sweep's folder.
    """

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Refuse a sweep that would start itself again; Hydra lets no error out of here."""
        if config.hydra.job.config_name != "train":
            return  # evaluations spawn their processes
        try:
            check_processes(config.trainer)
        except GapnetError as error:
            print(f"gapnet train: {error}", file=sys.stderr)
            sys.exit(1)

    def on_job_end(self, config: DictConfig, job_return: "JobReturn", **_: Any) -> None:
        """Write down what became of a job of a sweep."""
        if config.hydra.mode != RunMode.MULTIRUN:
            return
        folder, error = job_return.return_value
        job = {"overrides": list(job_return.overrides or ()), "folder": folder, "error": error}
        place = Path(config.hydra.sweep.dir) / JOBS
        place.mkdir(parents=True, exist_ok=True)
        write_whole(place / f"{config.hydra.job.num}.json", json.dumps(job, indent=2) + "\n")

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Print the table of a sweep and write it; end with status 1 if a job failed."""
        place = Path(config.hydra.sweep.dir)
        jobs = read_jobs(place / JOBS)
        groups = groups_of(jobs)
        print_summary(groups, jobs)
        write_summary(groups, jobs, place / SUMMARY)
        print(f"summary: {place / SUMMARY}")
        if any(job.error is not None for job in jobs):
            sys.exit(1)


def read_jobs(folder: Path) -> list[Job]:
    """Read what became of the jobs of a sweep, in their order."""
    paths = sorted(folder.glob("*.json"), key=lambda path: int(path.stem))
    read = [json.loads(path.read_text()) for path in paths]
    return [Job(tuple(each["overrides"]), each["folder"], each["error"]) for each in read]


def check_processes(trainer: DictConfig) -> None:
    """Refuse to sweep over trainings whose processes would each start the sweep again."""
    nodes = trainer.get("num_nodes", 1)
    spawns = str(trainer.get("strategy", "auto")).endswith(SPAWNING)
    devices = _count_devices(trainer.devices, trainer.accelerator)
    if nodes > 1 or (devices > 1 and not spawns):
        raise GapnetError(
            f"trainer.devices={trainer.devices} on {nodes} node{'s' * (nodes > 1)}: in a sweep "
            "each process of a training would start the whole sweep again; run the jobs side by "
            "side on one device each (trainer.devices=1 hydra/launcher=joblib), or start one "
            "command per job"
        )


def _count_devices(devices: Any, accelerator: str) -> int:
    """Count the processes that Lightning would start on a node."""
    if devices in ALL:
        if accelerator == "cpu":
            return 1
        import torch

        return max(1, torch.cuda.device_count())
    if isinstance(devices, str):
        return len(devices.split(",")) if "," in devices else int(devices)
    return devices if isinstance(devices, int) else len(devices)
