"""Several processes train as one does."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.cli.conftest import CHECKOUT
from tests.processes.conftest import TRAIN, check_close, start, train, weights

EVALUATE = str(CHECKOUT / "evaluate.py")
RUN = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"]


@pytest.mark.parametrize(
    ("processes", "batch"),
    [
        pytest.param(2, 6, marks=pytest.mark.slow),
        pytest.param(3, 4, marks=pytest.mark.nightly),
    ],
)
def test_processes_end_with_the_weights_and_metrics_of_one(
    processes: int, batch: int, alone: Path, tmp_path: Path
) -> None:
    job = [f"trainer.devices={processes}", f"loader.batch_size={batch}", "evaluate=true"]
    run = train(tmp_path, *job)
    assert torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] == 20
    check_close(alone, run)
    one, many = (json.loads((folder / "metrics.json").read_text()) for folder in (alone, run))
    assert [metric["metric"] for metric in one] == [metric["metric"] for metric in many]
    for first, second in zip(one, many, strict=True):
        assert first["value"] == pytest.approx(second["value"], abs=0.1)


@pytest.mark.nightly
def test_processes_train_the_head_first_as_one_does(tmp_path: Path) -> None:
    job = ["optim.head_first=0.5", "trainer.max_epochs=2"]
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one = train(tmp_path / "one", *job)
    check_close(one, train(tmp_path / "two", *job, "trainer.devices=2", "loader.batch_size=6"))


@pytest.mark.nightly
def test_torchrun_may_start_the_processes(alone: Path, tmp_path: Path) -> None:
    job = ["trainer.devices=2", "loader.batch_size=6"]
    check_close(alone, train(tmp_path, *job, command=[*RUN, TRAIN[1]]))


@pytest.mark.nightly
def test_accumulated_batches_are_one_of_their_size_at_the_scaled_rate(
    alone: Path, tmp_path: Path
) -> None:
    job = ["loader.batch_size=3", "trainer.accumulate_grad_batches=2", "trainer.devices=2"]
    rate = initial_rate(alone)
    run = train(tmp_path, *job, f"optim.lr={rate / 4}", "optim.scale_lr=linear")
    check_close(alone, run)
    assert initial_rate(run) == pytest.approx(rate)
    (line,) = (text for text in (run / "log.txt").read_text().splitlines() if "scale_lr=" in text)
    assert all(part in line for part in ("12 images", "processes=2", "accumulated=2", f"{rate:g} "))


def initial_rate(run: Path) -> float:
    saved = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    return saved["optimizer_states"][0]["param_groups"][0]["initial_lr"]


@pytest.mark.nightly
def test_errors_of_validation_are_those_of_one(alone: Path, tmp_path: Path) -> None:
    """Share 24 images in batches of 10: one process has two batches, the other one."""
    run = train(tmp_path, "trainer.devices=2", "loader.batch_size=10", "trainer.max_epochs=1")
    again = train(tmp_path, "loader.batch_size=20", "trainer.max_epochs=1")
    for name in ("val/top1_error", "val/gt_known_error"):
        assert last_value(run, name) == last_value(again, name)


def last_value(run: Path, name: str) -> str:
    header, *rows = (run / "logs" / "metrics.csv").read_text().splitlines()
    column = header.split(",").index(name)
    return [row.split(",")[column] for row in rows if row.split(",")[column]][-1]


@pytest.mark.nightly
def test_one_and_two_processes_write_the_same_metrics(alone: Path, tmp_path: Path) -> None:
    job = [f"run={alone}", "trainer.devices=2", f"folder={tmp_path / 'two'}", "report.images=0"]
    subprocess.run([sys.executable, EVALUATE, *job], cwd=tmp_path, check=True)
    two = (tmp_path / "two" / "metrics.json").read_bytes()
    assert two == (alone / "metrics.json").read_bytes()


@pytest.mark.nightly
def test_a_launcher_and_the_configuration_must_agree(tmp_path: Path) -> None:
    process = start(tmp_path, command=[*RUN, TRAIN[1]])
    _, said = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "trainer.devices=1" in said
    assert "WORLD_SIZE" in said


@pytest.mark.nightly
def test_a_training_goes_on_over_other_processes(alone: Path, tmp_path: Path) -> None:
    """Stop one process in mid-epoch, and go on with two that take as many images a step."""
    first = train(tmp_path, "+trainer.max_steps=8", "checkpoint=last")
    job = [f"resume={first}", "resume_changed=true", "trainer.devices=2", "loader.batch_size=6"]
    run = train(tmp_path, *job, "optim.schedule=constant")
    assert len(weights(run)) == len(weights(alone))
    assert json.loads((run / "training.json").read_text())["resumed_at"] == 8
