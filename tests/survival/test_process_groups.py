"""Signals to a whole process group, as `timeout`, `scancel` and a closing terminal send them."""

import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.cli.conftest import CHECKOUT
from tests.survival.conftest import JOB, Outcome

TRAIN = [sys.executable, str(CHECKOUT / "train.py"), *JOB]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
WAYS = {
    "one rank": ["loader.num_workers=2"],
    "two ranks": ["loader.num_workers=2", "trainer.devices=2", "loader.batch_size=3"],
}
LONG = ["trainer.max_epochs=300"]
EVERY_WAY = pytest.mark.parametrize(
    "way",
    [
        pytest.param("one rank", marks=pytest.mark.slow),
        pytest.param("two ranks", marks=pytest.mark.nightly),
    ],
)


def weights(home: Path) -> dict[str, torch.Tensor]:
    (last,) = home.glob("runs/*/*/checkpoints/last.ckpt")
    return torch.load(last, weights_only=True)["state_dict"]


def wait_for_checkpoint(home: Path, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 200
    while not list(home.glob("runs/*/*/checkpoints/last.ckpt")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)


@EVERY_WAY
def test_a_signal_to_the_group_saves_the_step_and_goes_on_exactly(
    way: str, straight: Callable[[str], Outcome], tmp_path: Path
) -> None:
    job, home = [*TRAIN, *WAYS[way], "name=x"], tmp_path
    process = subprocess.Popen(
        job, cwd=home, env=ENVIRONMENT, stderr=subprocess.PIPE, start_new_session=True
    )
    wait_for_checkpoint(home, process)
    os.killpg(process.pid, signal.SIGTERM)
    os.killpg(process.pid, signal.SIGTERM)  # `timeout` sends it to its child and to the group
    _, said = process.communicate(timeout=120)
    assert process.returncode == 143, said
    assert b"which is saved" in said
    assert b"memory" not in said
    resumed = subprocess.run(
        [*job, "resume=auto"], cwd=home, env=ENVIRONMENT, capture_output=True, check=False
    )
    assert resumed.returncode == 0, resumed.stderr
    expected = straight("with workers").weights if way == "one rank" else weights_of_two(tmp_path)
    for name, value in weights(home).items():
        assert torch.equal(expected[f"last {name}"], value), name


def weights_of_two(folder: Path) -> dict[str, torch.Tensor]:
    """Train with two ranks without an interruption."""
    home = folder / "straight"
    home.mkdir()
    subprocess.run([*TRAIN, *WAYS["two ranks"]], cwd=home, env=ENVIRONMENT, check=True)
    return {f"last {name}": value for name, value in weights(home).items()}


@EVERY_WAY
def test_timeout_stops_a_training_in_order(way: str, tmp_path: Path) -> None:
    """A signal that `timeout` gets goes the same way as the one at the end of its time."""
    command = ["timeout", "-s", "TERM", "3600", *TRAIN, *WAYS[way], *LONG]
    process = subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE)
    wait_for_checkpoint(tmp_path, process)
    process.terminate()
    _, said = process.communicate(timeout=120)
    assert process.returncode == 143, said
    assert b"which is saved" in said
    assert b"Traceback" not in said


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["SIGINT", "SIGUSR1"])
def test_workers_leave_other_signals_to_the_main_process(name: str, tmp_path: Path) -> None:
    job = [*TRAIN, *WAYS["one rank"], *LONG]
    process = subprocess.Popen(
        job, cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE, start_new_session=True
    )
    wait_for_checkpoint(tmp_path, process)
    os.killpg(process.pid, signal.Signals[name])
    _, said = process.communicate(timeout=120)
    assert process.returncode == {"SIGINT": 130, "SIGUSR1": 143}[name], said
    assert b"which is saved" in said
    assert b"Traceback" not in said


@pytest.mark.slow
def test_a_closed_terminal_stops_a_training_in_order(tmp_path: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execve(TRAIN[0], [*TRAIN, *WAYS["one rank"], *LONG], ENVIRONMENT)
    reader = threading.Thread(target=_drain, args=(terminal,), daemon=True)
    reader.start()
    deadline = time.monotonic() + 200
    while not list(tmp_path.glob("runs/*/*/checkpoints/last.ckpt")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    (log,) = tmp_path.glob("runs/*/*/log.txt")
    assert os.waitstatus_to_exitcode(status) == 129, log.read_text()
    assert "SIGHUP: stopped after step" in log.read_text()


def _drain(terminal: int) -> None:
    try:
        while os.read(terminal, 4096):
            pass
    except OSError:
        pass


@pytest.mark.nightly
def test_nohup_keeps_a_training_going(tmp_path: Path) -> None:
    process = subprocess.Popen(
        ["nohup", *TRAIN, *WAYS["one rank"]],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    wait_for_checkpoint(tmp_path, process)
    os.killpg(process.pid, signal.SIGHUP)
    _, said = process.communicate(timeout=200)
    assert process.returncode == 0, said
