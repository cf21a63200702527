"""What befalls one process ends them all, with one line that says what it was."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from gapnet.data.sources.shapes.dataset import shapes
from tests.processes.conftest import TRAIN, start

pytestmark = pytest.mark.slow
LONG = ["trainer.max_epochs=500", "trainer.devices=2", "loader.batch_size=6"]
MINUTE = 60
RUN = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"]


def ranks_of(parent: int) -> dict[int, int]:
    """Find the processes of a training: local rank -> process."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            told = dict(
                each.split("=", 1)
                for each in (place / "environ").read_text().split("\0")
                if "=" in each
            )
            is_child = f"PPid:\t{parent}\n" in (place / "status").read_text()
        except (OSError, UnicodeDecodeError):
            continue
        if is_child and "LOCAL_RANK" in told:
            found[int(told["LOCAL_RANK"])] = int(place.name)
    return found


def wait_until_training(folder: Path, process: "subprocess.Popen[str]") -> None:
    """Wait for the first checkpoint."""
    deadline = time.monotonic() + 120
    while not list(folder.glob("runs/*/*/checkpoints/last.ckpt")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.2)


def end_of(process: "subprocess.Popen[str]") -> list[str]:
    """Wait for the end; give the lines that are no progress."""
    _, said = process.communicate(timeout=MINUTE)
    return [line for line in said.splitlines() if line.startswith("gapnet train: ")]


@pytest.mark.parametrize("rank", [0, 1])
def test_a_process_that_is_killed_ends_the_others_within_a_minute(
    rank: int, tmp_path: Path
) -> None:
    process = start(tmp_path, *LONG)
    wait_until_training(tmp_path, process)
    ranks = ranks_of(process.pid)
    os.kill(ranks[rank], signal.SIGKILL)
    lines = end_of(process)
    assert process.returncode == 1
    assert lines == [
        f"gapnet train: rank {rank} was killed by SIGKILL, as the kernel does where memory runs out"
    ]
    assert not any(Path("/proc", str(each)).exists() for each in ranks.values())


def test_what_started_the_processes_does_not_outlive_them_nor_they_it(tmp_path: Path) -> None:
    process = start(tmp_path, *LONG)
    wait_until_training(tmp_path, process)
    ranks = ranks_of(process.pid)
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 10
    while any(Path("/proc", str(each)).exists() for each in ranks.values()):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_under_torchrun_a_process_that_is_killed_ends_the_others(tmp_path: Path) -> None:
    process = start(tmp_path, *LONG, command=[*RUN, TRAIN[1]])
    wait_until_training(tmp_path, process)
    os.kill(ranks_of(process.pid)[1], signal.SIGKILL)
    process.communicate(timeout=MINUTE)
    assert process.returncode != 0


@pytest.mark.parametrize(("name", "status"), [("SIGTERM", 143), ("SIGUSR1", 143), ("SIGINT", 130)])
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


def test_a_signal_to_one_process_stops_them_all(tmp_path: Path) -> None:
    process = start(tmp_path, *LONG)
    wait_until_training(tmp_path, process)
    os.kill(ranks_of(process.pid)[1], signal.SIGTERM)
    _, said = process.communicate(timeout=MINUTE)
    assert process.returncode == 143, said


POISON = """
import torch
from gapnet.training import classifier

was, calls = classifier.cross_entropy, [0]

def loss(*arguments, **named):
    calls[0] += 1
    bad = calls[0] == 4 and torch.distributed.get_rank() == 1
    return was(*arguments, **named) * (float("nan") if bad else 1.0)

classifier.cross_entropy = loss
"""


def test_a_loss_that_is_no_number_on_one_stops_them_all_before_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "poison.py").write_text(POISON)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    process = start(tmp_path, *LONG, "imports=[poison]", "callbacks.last.minutes=0.0001")
    lines = end_of(process)
    assert process.returncode == 1
    assert len(lines) == 1
    assert "step 4: the loss or a gradient is not finite" in lines[0]
    (folder,) = tmp_path.glob("runs/*/*/postmortem")
    told = [json.loads((folder / f"rank{rank}.json").read_text()) for rank in (0, 1)]
    assert [each["broken"] for each in told][1] is True
    assert told[1]["losses"] == ["nan"]
    assert len(told[1]["ids"][0]) == 6
    assert not set(told[0]["ids"][0]) & set(told[1]["ids"][0])
    last = torch.load(folder.parent / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["global_step"] == 3
    assert all(value.isfinite().all() for value in last["state_dict"].values())


def test_files_that_cannot_be_read_are_counted_by_all(tmp_path: Path) -> None:
    root = tmp_path / "data"
    shapes(root=root, size=48, classes=3, train=60, val=24, test=12)
    train = sorted(root.glob("**/train/**/*.JPEG"))
    for path in train[:3]:
        path.write_bytes(b"no image")
    skip = [f"data.root={root}", "data.on_corrupt=skip", "trainer.devices=2", "loader.batch_size=6"]
    process = start(tmp_path, *skip, "trainer.max_epochs=2", "name=skipped")
    _, said = process.communicate(timeout=MINUTE)
    assert process.returncode == 0, said
    (told,) = tmp_path.glob("runs/skipped/*/training.json")
    assert json.loads(told.read_text())["unreadable"] == [str(each) for each in train[:3]]
    process = start(tmp_path, *skip, "data.max_corrupt=2", "name=refused")
    lines = end_of(process)
    assert process.returncode == 1
    assert len(lines) == 1
    assert re.search(r"data.max_corrupt=2: more images than that cannot be read", lines[0])


def test_a_worker_that_the_kernel_kills_is_named(tmp_path: Path) -> None:
    process = start(tmp_path, "trainer.max_epochs=500", "loader.num_workers=2")
    wait_until_training(tmp_path, process)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)
    lines = end_of(process)
    assert process.returncode == 1
    assert len(lines) == 1
    assert "a process that reads images" in lines[0]
    assert "was killed by signal Killed, as the kernel does where memory runs out" in lines[0]
