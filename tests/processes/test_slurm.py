"""The script for SLURM, with an srun and a scontrol of our own: none of this is a cluster."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.cli.conftest import CHECKOUT
from tests.processes.conftest import JOB, check_close

pytestmark = pytest.mark.nightly
SRUN = """#!{python}
import os, signal, subprocess, sys

tasks = []
for rank in range(2):
    own = {{"SLURM_PROCID": str(rank), "SLURM_LOCALID": str(rank), "SLURM_STEP_NUM_TASKS": "2"}}
    tasks.append(subprocess.Popen(sys.argv[1:], env={{**os.environ, **own}}))
signal.signal(signal.SIGUSR1, lambda number, _: [each.send_signal(number) for each in tasks])
sys.exit(max(each.wait() for each in tasks))
"""
SCONTROL = """#!/bin/bash
echo "$@" >> requeued.txt
"""
SLURM = {
    "SLURM_JOB_ID": "4711",
    "SLURM_JOB_NAME": "gapnet",
    "SLURM_JOB_NUM_NODES": "1",
    "SLURM_NTASKS": "2",
    "SLURM_NTASKS_PER_NODE": "2",
    "SLURM_NODEID": "0",
}


@pytest.fixture
def cluster(tmp_path: Path) -> dict[str, str]:
    """Pretend to be SLURM."""
    for name, text in (("srun", SRUN.format(python=sys.executable)), ("scontrol", SCONTROL)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "train.py").symlink_to(CHECKOUT / "train.py")
    path = f"{tmp_path}:{os.environ['PATH']}"
    return {**os.environ, **SLURM, "PATH": path, "PYTHON": sys.executable, "OMP_NUM_THREADS": "1"}


def test_a_job_whose_time_ends_is_queued_again_and_goes_on(
    cluster: dict[str, str], alone: Path, tmp_path: Path
) -> None:
    script = ["bash", str(CHECKOUT / "experiments" / "slurm" / "train.sbatch")]
    command = [*script, *JOB, "loader.batch_size=6"]
    process = subprocess.Popen(command, cwd=tmp_path, env=cluster, start_new_session=True)
    while not list(tmp_path.glob("runs/*/*/checkpoints/last.ckpt")):
        assert process.poll() is None
        time.sleep(0.05)
    (srun,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(srun), signal.SIGUSR1)
    assert process.wait(60) == 143
    assert (tmp_path / "requeued.txt").read_text() == "requeue 4711\n"
    (last,) = tmp_path.glob("runs/*/*/checkpoints/last.ckpt")
    assert torch.load(last, weights_only=True)["global_step"] < 20
    subprocess.run(command, cwd=tmp_path, env=cluster, check=True, timeout=120)
    check_close(alone, (tmp_path / "runs" / "latest").resolve())
