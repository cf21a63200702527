"""A full disk: what can go on goes on, what cannot ends with a line that names the place."""

import subprocess
from pathlib import Path

import pytest

from gapnet.jobs import trainers
from gapnet.runs.log import RunLog
from gapnet.training.step_watch import Watch
from tests.cli.conftest import QUICK, SMALL, Command, Trained, assert_one_line

FULL = "No space left on device"
NEVER = Path("/dev/full")  # can be written as little as a full disk
SIZES = ["16k", "32k", "48k", "80k", "120k", "160k"]  # of a disk, each full in another moment


def left(folder: Path) -> list[Path]:
    """List what has a temporary name."""
    return [each for each in folder.rglob("*") if "unfinished" in each.name]


@pytest.mark.slow
def test_a_sweep_without_room_for_what_became_of_a_job_has_status_1(
    gapnet: Command, trained: Trained, full_disk: Path
) -> None:
    (full_disk / "sweep" / "jobs").mkdir(parents=True)
    (full_disk / "sweep" / "multirun.yaml").symlink_to("/dev/null")
    runs = [f"a='{trained.run}'", f"b='{trained.run}'", "resamples=1,2"]
    outcome = gapnet("compare", "-m", *runs, f"hydra.sweep.dir='{full_disk / 'sweep'}'")
    assert outcome.status == 1
    last = outcome.err.splitlines()[-1]
    assert last.startswith(f"gapnet compare: {full_disk / 'sweep' / 'jobs' / '0.json'}: ")


@pytest.mark.slow
def test_a_data_set_that_cannot_be_drawn_leaves_nothing(gapnet: Command, full_disk: Path) -> None:
    outcome = gapnet("train", *SMALL, *QUICK, f"paths.data='{full_disk / 'data'}'")
    assert outcome.status == 1
    last = outcome.err.splitlines()[-1]
    assert last.startswith(f"gapnet train: {full_disk / 'data'}: ")
    assert FULL in last
    assert "paths.data=" in last
    assert not any((full_disk / "data").iterdir())


@pytest.mark.parametrize("to", ["safetensors", "csv"])
def test_an_export_leaves_nothing(
    gapnet: Command, trained: Trained, full_disk: Path, to: str
) -> None:
    what = f"run={trained.run}" if to == "safetensors" else "predictions="
    what += f"{trained.run}/predictions/test" if to == "csv" else ""
    outcome = gapnet("export", what, f"to={to}", f"folder='{full_disk / 'out'}'")
    assert_one_line(outcome, f"{full_disk / 'out'}: ", FULL, "folder=")
    assert [each.name for each in full_disk.iterdir()] == ["junk"]


def test_a_comparison_that_cannot_be_written_is_told(
    gapnet: Command, trained: Trained, full_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = full_disk / "apart.csv"
    outcome = gapnet("compare", str(trained.run), str(trained.run), f"to='{path}'")
    assert_one_line(outcome, f"to={path}: ", FULL)
    assert not left(full_disk)


@pytest.mark.slow
def test_a_run_folder_that_cannot_be_begun_is_told(
    gapnet: Command, shapes_root: Path, full_disk: Path
) -> None:
    where = [f"data.root={shapes_root}", f"paths.runs='{full_disk / 'runs'}'"]
    outcome = gapnet("train", *SMALL, *QUICK, *where)
    assert outcome.status == 1
    last = outcome.err.splitlines()[-1]
    assert all(part in last for part in (f"{full_disk}/runs/", FULL, "paths.runs=")), last


@pytest.mark.slow
@pytest.mark.skipif(not NEVER.exists(), reason="the system has no /dev/full")
def test_a_training_goes_on_without_its_log_and_tensorboard(
    gapnet: Command, shapes_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RunLog, "_open", lambda _: NEVER.open("a"))
    monkeypatch.setattr(trainers, "LOGS", "config.yaml/no folder")
    outcome = gapnet("train", *SMALL, *QUICK, f"data.root={shapes_root}", "evaluate=false")
    assert outcome.status == 0, outcome.err
    for path in ("log.txt: ", "config.yaml/no folder"):
        assert len([line for line in outcome.err.splitlines() if path in line]) == 1, path
    assert "Traceback" not in outcome.err
    assert (tmp_path / "runs" / "latest" / "checkpoints" / "best.ckpt").is_file()
    assert (tmp_path / "runs" / "latest" / "logs" / "metrics.csv").is_file()


@pytest.mark.slow
def test_a_training_without_room_for_its_curves_stops_and_goes_on_as_if_it_had_not(
    gapnet: Command, shapes_root: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    junk = small_disk / "junk"

    def fill(*_: object) -> None:
        with junk.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                return

    job = [*SMALL, *QUICK, f"data.root={shapes_root}", "evaluate=false", "trainer.max_epochs=2"]
    straight = gapnet("train", *job, "name=straight")
    assert straight.status == 0, straight.err
    there = [*job, f"paths.runs='{small_disk / 'runs'}'", "name=full"]
    with monkeypatch.context() as patch:
        patch.setattr(Watch, "on_train_epoch_start", fill, raising=False)
        outcome = gapnet("train", *there)
    assert outcome.status == 1
    last = outcome.err.splitlines()[-1]
    assert all(part in last for part in ("metrics.csv: ", FULL, "resume=auto")), last
    junk.unlink()
    outcome = gapnet("train", *there, "resume=auto")
    assert outcome.status == 0, outcome.err
    one, other = (
        (runs / "latest" / "logs" / "metrics.csv").read_text()
        for runs in (Path("runs"), small_disk / "runs")
    )
    assert one == other


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_an_evaluation_names_what_cannot_be_written_and_goes_on_when_there_is_room(
    gapnet: Command, trained: Trained, small_disk: Path, size: str
) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(small_disk)], check=True)
    job = [f"run={trained.run}", f"folder='{small_disk / 'again'}'", "loader.num_workers=0"]
    outcome = gapnet("evaluate", *job)
    assert outcome.status == 1
    last = outcome.err.splitlines()[-1]
    assert last.startswith(f"gapnet evaluate: {small_disk}/again/")
    assert FULL in last
    assert last.endswith("resume=true")
    assert "Traceback" not in outcome.err
    assert not left(small_disk)
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    outcome = gapnet("evaluate", *job, "resume=true")
    assert outcome.status == 0, outcome.err
    figures = (trained.run / "metrics.json").read_bytes()
    assert (small_disk / "again" / "metrics.json").read_bytes() == figures
