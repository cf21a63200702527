"""Several processes train as one does."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.cli.conftest import CHECKOUT
from tests.processes.conftest import TRAIN, check_close, start, train, weights

pytestmark = pytest.mark.slow
EVALUATE = str(CHECKOUT / "evaluate.py")
RUN = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"]


@pytest.mark.parametrize(("processes", "batch"), [(2, 6), (3, 4)])
def test_processes_end_with_the_weights_of_one(
    processes: int, batch: int, alone: Path, tmp_path: Path
) -> None:
    run = train(tmp_path, f"trainer.devices={processes}", f"loader.batch_size={batch}")
    assert torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] == 20
    check_close(alone, run)


def test_torchrun_may_start_the_processes(alone: Path, tmp_path: Path) -> None:
    job = ["trainer.devices=2", "loader.batch_size=6"]
    check_close(alone, train(tmp_path, *job, command=[*RUN, TRAIN[1]]))


def test_accumulated_batches_are_one_of_their_size(alone: Path, tmp_path: Path) -> None:
    job = ["loader.batch_size=3", "trainer.accumulate_grad_batches=2", "trainer.devices=2"]
    check_close(alone, train(tmp_path, *job))


def test_errors_of_validation_are_those_of_one(alone: Path, tmp_path: Path) -> None:
    """Share 24 images in batches of 10: the third process has the last 4, a fourth would none."""
    run = train(tmp_path, "trainer.devices=3", "loader.batch_size=10", "trainer.max_epochs=1")
    again = train(tmp_path, "loader.batch_size=30", "trainer.max_epochs=1")
    for name in ("val/top1_error", "val/gt_known_error"):
        assert last_value(run, name) == last_value(again, name)


def last_value(run: Path, name: str) -> str:
    header, *rows = (run / "logs" / "metrics.csv").read_text().splitlines()
    column = header.split(",").index(name)
    return [row.split(",")[column] for row in rows if row.split(",")[column]][-1]


def test_evaluated_together_the_figures_are_those_of_one(tmp_path: Path) -> None:
    job = ["evaluate=true", "report.images=2", "trainer.max_epochs=1"]
    runs = [
        train(tmp_path, *job, "loader.batch_size=12"),
        train(tmp_path, *job, "loader.batch_size=6", "trainer.devices=2"),
    ]
    one, two = (json.loads((run / "metrics.json").read_text()) for run in runs)
    assert [each["metric"] for each in one] == [each["metric"] for each in two]
    for first, second in zip(one, two, strict=True):
        assert first["value"] == pytest.approx(second["value"], abs=0.1)


def test_one_and_two_processes_write_the_same_metrics(alone: Path, tmp_path: Path) -> None:
    written = []
    for count in (1, 2):
        folder = tmp_path / str(count)
        job = [f"run={alone}", f"trainer.devices={count}", f"folder={folder}", "report.images=0"]
        subprocess.run([sys.executable, EVALUATE, *job], cwd=tmp_path, check=True)
        written.append((folder / "metrics.json").read_bytes())
    assert written[0] == written[1]


def test_a_rate_is_scaled_where_that_is_asked_for(tmp_path: Path) -> None:
    job = ["trainer.devices=2", "trainer.accumulate_grad_batches=3", "trainer.max_epochs=1"]
    run = train(tmp_path, *job, "loader.batch_size=5", "optim.scale_lr=linear")
    saved = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    trained = saved["optimizer_states"][0]["param_groups"][0]["initial_lr"]
    assert trained == pytest.approx(0.05 * 6)
    told = "(5 a batch, on 2, 3 accumulated); highest rate 0.3 (scale_lr=linear)"
    assert f"30 images a step {told}" in (run / "log.txt").read_text()


def test_a_launcher_and_the_configuration_must_agree(tmp_path: Path) -> None:
    process = start(tmp_path, command=[*RUN, TRAIN[1]])
    _, said = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "2 processes were started (WORLD_SIZE); their product must be as many" in said


def test_a_training_goes_on_over_other_processes(alone: Path, tmp_path: Path) -> None:
    """Stop one process in mid-epoch, and go on with two that take as many images a step."""
    first = train(tmp_path, "+trainer.max_steps=8", "checkpoint=last")
    job = [f"resume={first}", "resume_changed=true", "trainer.devices=2", "loader.batch_size=6"]
    run = train(tmp_path, *job, "optim.schedule=constant")
    assert len(weights(run)) == len(weights(alone))
    assert json.loads((run / "training.json").read_text())["resumed_at"] == 8
