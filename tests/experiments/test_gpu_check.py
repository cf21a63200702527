"""`make gpu`, rehearsed on the CPU; see it on a GPU before you trust it there."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import gpu
import pytest
import torch
from gpu_check.bench import Bench, Measures, Stage, carry_out
from gpu_check.child_process import StageFailedError, StageSkippedError, TimeUpError
from gpu_check.compare import compare_metrics, compare_weights
from gpu_check.report import markdown
from gpu_check.sizes import REHEARSAL, Sizes
from gpu_check.training import _check_losses

from tests.cli.conftest import CHECKOUT

SCRIPT = CHECKOUT / "experiments" / "benchmarks" / "gpu.py"
SLEEPER = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; {}'])"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, REHEARSAL, "cpu")


def stage(work: Callable[[Bench], Measures]) -> Stage:
    return Stage("one", "a stage", work, most=60, least=10)


@pytest.mark.nightly
def test_a_rehearsal_goes_through_every_stage(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--rehearse", "--minutes", "30", "--to", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()[1:-1]
    assert max(len(line) for line in lines if str(tmp_path) not in line) <= 80
    results = json.loads((tmp_path / "gpu.json").read_text())
    assert results["device"]["packages"]["torch"] == torch.__version__.partition("+")[0]
    stages = results["stages"]
    assert {stage["status"] for stage in stages.values()} == {"ok"}
    for name in ("train-bf16-mixed", "train-32-true", "train-bf16-mixed-not-deterministic"):
        assert stages[name]["last_loss"] < stages[name]["first_loss"]
        assert stages[name]["images_per_second"] > 0
    assert 0 < stages["interrupt"]["killed_at_step"] < stages["interrupt"]["steps"] == 24
    assert stages["interrupt"]["difference"]["largest"] == 0
    assert (stages["devices"]["images"], stages["devices"]["boxes_off"]) == (48, 0)
    assert stages["predict"]["precisions"]["32-true"]["network_images_per_second"] > 0
    assert stages["input"]["images_per_second"] > 0
    text = (tmp_path / "gpu.md").read_text()
    assert text.startswith("Measured on the stand-in data set")
    assert text.splitlines()[2] == f"## {results['device']['name']}"


def test_without_a_gpu_one_line_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main([]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "no CUDA device" in err


@pytest.mark.parametrize(
    ("error", "left", "status"),
    [
        (StageFailedError("broken"), 100, "failed"),
        (ValueError("a bug"), 100, "failed"),
        (StageSkippedError("no compiler"), 100, "skipped"),
        (TimeUpError("was not done in time"), 100, "failed"),
        (TimeUpError("was not done in time"), 50, "skipped"),
    ],
)
def test_an_error_becomes_the_status_of_its_stage(
    bench: Bench, error: Exception, left: float, status: str
) -> None:
    def work(bench: Bench) -> Measures:
        raise error

    assert carry_out(stage(work), bench, left=left)["status"] == status


def test_a_stage_that_does_not_fit_is_not_begun(bench: Bench) -> None:
    outcome = carry_out(stage(lambda bench: pytest.fail("it was begun")), bench, left=9)
    assert outcome == {"status": "skipped", "summary": "9 s are left, too few"}


def test_a_failing_child_is_named_by_its_last_line(bench: Bench) -> None:
    work = stage(lambda bench: bench.run("-c", "print('a'); raise SystemExit('the cause')"))
    outcome = carry_out(work, bench, left=60)
    assert (outcome["status"], outcome["summary"]) == ("failed", "status 1: the cause")


@pytest.mark.slow
def test_a_child_that_is_late_is_killed_with_its_own_children(bench: Bench) -> None:
    started, late = bench.work / "started", bench.work / "late"
    inner = f"open({str(started)!r}, 'w'); time.sleep(2); open({str(late)!r}, 'w')"
    bench.stage, bench.deadline = "one", time.monotonic() + 1
    with pytest.raises(TimeUpError):
        bench.run("-c", SLEEPER.format(inner.replace("'", "\\'")))
    assert started.exists()
    time.sleep(1.5)
    assert not late.exists()


@pytest.mark.parametrize("losses", [[2.0, float("nan")] * 5, [2.0, 1.0, 2.0], [1.0] * 20])
def test_a_loss_that_does_not_go_down_is_an_error(losses: list[float]) -> None:
    with pytest.raises(StageFailedError):
        _check_losses(losses)


def test_weights_are_compared_along_the_way_that_was_left(tmp_path: Path) -> None:
    ends = {"start": [0.0, 0.0], "straight": [3.0, 4.0], "resumed": [3.0, 3.5]}
    for name, values in ends.items():
        torch.save({"state_dict": {"a": torch.tensor(values)}}, tmp_path / f"{name}.ckpt")
    start, straight, resumed = (tmp_path / f"{name}.ckpt" for name in ends)
    found = compare_weights(straight, resumed, since=start)
    assert found == (pytest.approx(0.1), 0.5, "a")


def test_metrics_that_differ_are_named(tmp_path: Path) -> None:
    for name, value in (("one", 0.25), ("other", 0.5)):
        (tmp_path / name).mkdir()
        metrics = [{"metric": "top1_error", "value": 0.5}, {"metric": "gt_known", "value": value}]
        (tmp_path / name / "metrics.json").write_text(json.dumps(metrics))
    assert compare_metrics(tmp_path / "one", tmp_path / "other") == ["gt_known"]


def test_sizes_come_back_from_json() -> None:
    assert Sizes.of(json.loads(json.dumps(REHEARSAL.plain()))).data() == REHEARSAL.data()


def test_the_tables_stand_under_the_name_of_the_device() -> None:
    timed = {
        "status": "ok",
        "summary": "1,234 images/s | loss",
        "precision": "16-mixed",
        "compiled": True,
        "deterministic": True,
        "images_per_second": 1234.5,
        "peak_gib": 9.25,
        "first_step_seconds": 40.0,
        "first_loss": 2.5,
        "last_loss": 1.5,
    }
    device = {"name": "NVIDIA X", "memory_gib": 80.0, "driver": "1.2", "cuda": "13.0"}
    device |= {"cudnn": 9, "cores": 16, "python": "3.11", "packages": {"torch": "2.8"}}
    results = {"rehearsal": False, "device": device, "command": "python gpu.py", "commit": "abc"}
    results |= {"minutes": 8.0, "seconds": 400.0, "sizes": REHEARSAL.plain()}
    text = markdown({**results, "stages": {"train": timed, "predict": {**SKIPPED}}})
    assert "\n## NVIDIA X\n" in text
    assert "- 80.0 GiB, driver 1.2, CUDA 13.0, cuDNN 9, 16 CPU cores" in text
    assert "| 16-mixed | yes | yes | 1,234 | 9.25 | 40.0 | 2.50 to 1.50 |" in text
    assert "| train | ok | - | 1,234 images/s / loss |" in text
    assert "rehearsal" not in text


SKIPPED = {"status": "skipped", "summary": "3 s are left, too few"}
