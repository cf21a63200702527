"""If one rank fails, the others stop, with one line that says why."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from gapnet.data.sources.shapes.dataset import shapes
from tests.processes.conftest import TRAIN, start

LONG = ["trainer.max_epochs=500", "trainer.devices=2", "loader.batch_size=6"]
MINUTE = 60
RUN = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"]


def ranks_of(parent: int) -> dict[int, int]:
    """Return the processes of a training: local rank -> process."""
    ranks = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            variables = (place / "environ").read_text().split("\0")
            environment = dict(line.split("=", 1) for line in variables if "=" in line)
            is_child = f"PPid:\t{parent}\n" in (place / "status").read_text()
        except (OSError, UnicodeDecodeError):
            continue
        if is_child and "LOCAL_RANK" in environment:
            ranks[int(environment["LOCAL_RANK"])] = int(place.name)
    return ranks


def wait_until_training(folder: Path, process: "subprocess.Popen[str]") -> None:
    """Wait for the first checkpoint."""
    deadline = time.monotonic() + 120
    while not list(folder.glob("runs/*/*/checkpoints/last.ckpt")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.2)


def end_of(process: "subprocess.Popen[str]") -> list[str]:
    """Wait for the end, and return the lines that are no progress."""
    _, said = process.communicate(timeout=MINUTE)
    return [line for line in said.splitlines() if line.startswith("gapnet train: ")]


@pytest.mark.parametrize(
    "rank",
    [pytest.param(0, marks=pytest.mark.nightly), pytest.param(1, marks=pytest.mark.slow)],
)
def test_a_process_that_is_killed_ends_the_others_within_a_minute(
    rank: int, tmp_path: Path
) -> None:
    process = start(tmp_path, *LONG)
    wait_until_training(tmp_path, process)
    ranks = ranks_of(process.pid)
    os.kill(ranks[rank], signal.SIGKILL)
    lines = end_of(process)
    assert process.returncode == 1
    assert len(lines) == 1
    assert f"rank {rank} " in lines[0]
    assert "SIGKILL" in lines[0]
    assert not any(Path("/proc", str(process_id)).exists() for process_id in ranks.values())


@pytest.mark.nightly
def test_what_started_the_processes_does_not_outlive_them_nor_they_it(tmp_path: Path) -> None:
    process = start(tmp_path, *LONG)
    wait_until_training(tmp_path, process)
    ranks = ranks_of(process.pid)
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 10
    while any(Path("/proc", str(process_id)).exists() for process_id in ranks.values()):
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.nightly
def test_under_torchrun_a_process_that_is_killed_ends_the_others(tmp_path: Path) -> None:
    process = start(tmp_path, *LONG, command=[*RUN, TRAIN[1]])
    wait_until_training(tmp_path, process)
    os.kill(ranks_of(process.pid)[1], signal.SIGKILL)
    process.communicate(timeout=MINUTE)
    assert process.returncode != 0


@pytest.mark.parametrize(
    ("name", "status"),
    [
        pytest.param("SIGTERM", 143, marks=pytest.mark.nightly),  # one rank gets it below
        pytest.param("SIGUSR1", 143, marks=pytest.mark.nightly),
        pytest.param("SIGINT", 130, marks=pytest.mark.slow),
    ],
)
def test_a_signal_stops_them_all_at_one_step(name: str, status: int, tmp_path: Path) -> None:
    process = start(tmp_path, *LONG)
    wait_until_training(tmp_path, process)
    process.send_signal(signal.Signals[name])
    _, said = process.communicate(timeout=MINUTE)
    assert process.returncode == status, said
    assert "Traceback" not in said
    (last,) = tmp_path.glob("runs/*/*/checkpoints/last.ckpt")
    step = torch.load(last, weights_only=True)["global_step"]
    assert f"{name}: stopped after step {step}, which is saved" in said


@pytest.mark.nightly
def test_a_signal_to_one_process_stops_them_all(tmp_path: Path) -> None:
    process = start(tmp_path, *LONG)
    wait_until_training(tmp_path, process)
    os.kill(ranks_of(process.pid)[1], signal.SIGTERM)
    _, said = process.communicate(timeout=MINUTE)
    assert process.returncode == 143, said


POISON = """
import torch
from gapnet.training import loss as losses

was, calls = losses.cross_entropy, [0]

def loss(*arguments, **named):
    calls[0] += "reduction" not in named  # as in validation
    bad = calls[0] == 4 and torch.distributed.get_rank() == 1
    return was(*arguments, **named) * (float("nan") if bad else 1.0)

losses.cross_entropy = loss
"""


@pytest.mark.nightly
def test_a_loss_that_is_not_finite_on_one_stops_them_all_before_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "poison.py").write_text(POISON)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    process = start(tmp_path, *LONG, "imports=[poison]", "callbacks.last.minutes=0.0001")
    lines = end_of(process)
    assert process.returncode == 1
    assert len(lines) == 1
    assert "step 4: " in lines[0]
    (folder,) = tmp_path.glob("runs/*/*/postmortem")
    first, second = (json.loads((folder / f"rank{rank}.json").read_text()) for rank in (0, 1))
    assert second["broken"] is True
    assert second["losses"] == ["nan"]
    assert len(second["ids"][0]) == 6
    assert not set(first["ids"][0]) & set(second["ids"][0])
    last = torch.load(folder.parent / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["global_step"] == 3
    assert all(value.isfinite().all() for value in last["state_dict"].values())


@pytest.mark.nightly
def test_files_that_cannot_be_read_are_counted_by_all(tmp_path: Path) -> None:
    root = tmp_path / "data"
    shapes(root=root, size=48, classes=3, train=60, val=24, test=12)
    train = sorted(root.glob("**/train/**/*.JPEG"))
    for path in train[:3]:
        path.write_bytes(b"no image")
    skip = [f"data.root={root}", "data.on_corrupt=skip", "trainer.max_epochs=1"]
    process = start(tmp_path, *skip, "trainer.devices=2", "loader.batch_size=6", "name=skipped")
    _, said = process.communicate(timeout=MINUTE)
    assert process.returncode == 0, said
    (summary,) = tmp_path.glob("runs/skipped/*/training.json")
    assert json.loads(summary.read_text())["unreadable"] == list(map(str, train[:3]))
    process = start(tmp_path, *skip, "data.max_corrupt=2", "name=refused")
    lines = end_of(process)
    assert process.returncode == 1
    assert len(lines) == 1
    assert "data.max_corrupt=2: " in lines[0]


@pytest.mark.nightly
def test_a_worker_that_the_kernel_kills_is_named(tmp_path: Path) -> None:
    process = start(tmp_path, "trainer.max_epochs=500", "loader.num_workers=2")
    wait_until_training(tmp_path, process)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)
    lines = end_of(process)
    assert process.returncode == 1
    assert len(lines) == 1
    assert "Killed" in lines[0]
