import csv
import json
from datetime import datetime
from pathlib import Path
from statistics import mean, stdev

import pytest
from omegaconf import OmegaConf

from gapnet.studies.sweep.callback import read_jobs, set_group
from gapnet.studies.sweep.summary import (
    SweepJob,
    group_jobs,
    name_of,
    print_summary,
    write_summary,
)
from tests.cli.conftest import QUICK, SMALL, Command, assert_one_line, script

LAUNCHERS = {
    "basic": [],
    "joblib": ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"],
    "submitit": ["hydra/launcher=submitit_local"],
}


def finished(folder: Path, *overrides: str, **values: float) -> SweepJob:
    """Write a run with metrics."""
    place = folder / "_".join(overrides)
    place.mkdir()
    thresholds = {"top1_error": [None], "gt_known_error": ["fixed", "val"]}
    metrics = [
        {"metric": metric, "value": value + 0.5 * (by == "val"), "chosen_on": by}
        for metric, value in values.items()
        for by in thresholds[metric]
    ]
    (place / "metrics.json").write_text(json.dumps(metrics))
    return SweepJob(overrides, str(place), None)


def test_jobs_are_grouped_by_all_but_the_seed(tmp_path: Path) -> None:
    jobs = [
        finished(tmp_path, "data=x", "model=a", "seed=0", top1_error=0.2, gt_known_error=0.5),
        finished(tmp_path, "data=x", "model=a", "seed=1", top1_error=0.4, gt_known_error=0.5),
        finished(tmp_path, "data=x", "model=b", "seed=0", top1_error=0.1, gt_known_error=0.3),
        SweepJob(("data=x", "model=b", "seed=1"), None, "no"),
    ]
    a, b = group_jobs(jobs)
    assert (a.name, a.seeds, b.name, b.seeds) == ("model=a", 2, "model=b", 1)
    assert a.metrics["top1_error"] == (mean([0.2, 0.4]), stdev([0.2, 0.4]))
    assert a.metrics["gt_known_error"] == (0.5, 0)
    assert b.metrics == {"top1_error": (0.1, None), "gt_known_error": (0.3, None)}
    assert name_of(jobs[3], jobs) == "model=b seed=1"


def test_where_only_the_seed_varies_there_is_one_group(tmp_path: Path) -> None:
    jobs = [finished(tmp_path, "lr=1", f"seed={seed}", top1_error=0.1) for seed in range(3)]
    (group,) = group_jobs(jobs)
    assert (group.name, group.seeds) == ("all jobs", 3)


def test_a_sweep_without_metrics_has_a_summary_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = [SweepJob(("a=1",), None, None), SweepJob(("a=2",), None, "cannot, or must not")]
    print_summary(group_jobs(jobs), jobs)
    assert capsys.readouterr().out == "failed: a=2: cannot, or must not\n"
    write_summary(group_jobs(jobs), jobs, tmp_path / "summary.csv")
    with (tmp_path / "summary.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["jobs"], row["seeds"], row["error"]) == ("a=2", "0", "cannot, or must not")


def test_a_sweep_of_processes_started_together_starts_nothing(
    gapnet: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    outcome = gapnet("train", "-m", "seed=0,1")
    assert_one_line(outcome, "gapnet train: -m: ", "trainer.devices=")
    assert list(tmp_path.iterdir()) == []


class Standing(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz: object = None) -> datetime:
        return datetime(2026, 1, 2, 3, 4, 5)


@pytest.mark.slow
def test_a_sweep_at_the_same_time_as_another_has_a_folder_of_its_own(
    gapnet: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydra.core.utils.datetime", Standing)
    sweeps = tmp_path / "runs/sweeps"
    contents = []
    for resamples in ("-1,-2", "-3"):
        gapnet("compare", "-m", f"resamples={resamples}", "a=x", "b=y")
        contents.append({path: path.read_bytes() for path in sweeps.rglob("*") if path.is_file()})
    first, second = contents
    assert first.items() <= second.items()
    names = {each.name: len(list(each.glob("jobs/*.json"))) for each in sweeps.iterdir()}
    stamp = "2026-01-02_03-04-05"
    assert names == {stamp: 2, f"{stamp}.2": 1}
    assert all((each / "summary.csv").is_file() for each in sweeps.iterdir())


@pytest.mark.slow
def test_the_folder_of_a_sweep_may_be_named(gapnet: Command, tmp_path: Path) -> None:
    for _ in range(2):
        gapnet("compare", "-m", "resamples=-1,-2", "a=x", "b=y", "hydra.sweep.dir=mine")
        assert len(list((tmp_path / "mine/jobs").iterdir())) == 2
    assert not (tmp_path / "runs").exists()


def test_a_sweep_writes_through_no_link_that_leads_out_of_the_runs(
    gapnet: Command, tmp_path: Path
) -> None:
    (tmp_path / "foreign").mkdir()
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs/sweeps").symlink_to(tmp_path / "foreign")
    outcome = gapnet("compare", "-m", "resamples=-1,-2", "a=x", "b=y")
    assert_one_line(outcome, "runs/sweeps", f" {tmp_path / 'foreign'}")
    assert list((tmp_path / "foreign").iterdir()) == []


@pytest.mark.nightly
def test_a_job_of_a_sweep_may_have_several_processes(shapes_root: Path, tmp_path: Path) -> None:
    job = [*SMALL, *QUICK, f"data.root={shapes_root}", "trainer.devices=2", "name=two"]
    outcome = script(tmp_path, "train.py", "-m", *job, "evaluate=false", "seed=0,1")
    assert outcome.status == 0, outcome.err
    assert len(list((tmp_path / "runs" / "two").iterdir())) == 2


@pytest.mark.slow
def test_an_error_of_a_sweep_shows_its_traceback_on_request(
    gapnet: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Traceback" not in gapnet("compare", "-m", "resamples=0,-1", "a=x", "b=y").err
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    outcome = gapnet("compare", "-m", "resamples=0,-1", "a=x", "b=y")
    assert outcome.status == 1
    assert outcome.err.count("Traceback") == 2
    assert "resamples=0: resamples=0: " in outcome.out


@pytest.mark.parametrize(
    "launcher",
    [
        pytest.param("basic", marks=pytest.mark.slow),
        pytest.param("joblib", marks=pytest.mark.nightly),
        pytest.param("submitit", marks=pytest.mark.nightly),
    ],
)
def test_a_sweep_ends_with_a_summary_whatever_its_launcher(
    launcher: str, shapes_root: Path, tmp_path: Path
) -> None:
    job = [*SMALL, *QUICK, "report.images=0", f"data.root={shapes_root}", "name=two"]
    sweep = ["optim.lr=0.01,0.001", "seed=0,-1", *LAUNCHERS[launcher]]
    outcome = script(tmp_path, "train.py", "-m", *job, *sweep)
    assert outcome.status == 1
    assert outcome.out.count("seed=-1: seed=-1: ") == 2
    assert "optim.lr=0.01 seed=-1: seed=-1: " in outcome.out
    runs = tmp_path / "runs"
    assert len(list((runs / "two").glob("*/metrics.json"))) == 2
    (folder,) = (runs / "sweeps").iterdir()
    assert {"multirun.yaml", "summary.csv"} <= {path.name for path in folder.iterdir()}
    assert not (runs / "multirun.yaml").exists()
    with (folder / "summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["jobs"] for row in rows[:2]] == ["optim.lr=0.01", "optim.lr=0.001"]
    assert [row["seeds"] for row in rows] == ["1", "1", "0", "0"]
    assert all(0 <= float(row["gt_known_error"]) <= 1 for row in rows[:2])
    assert all(row["top1_error/deviation"] == "" for row in rows[:2])


@pytest.mark.slow
def test_a_training_can_be_stopped_before_its_evaluation(
    gapnet: Command, shapes_root: Path, tmp_path: Path
) -> None:
    assert_one_line(gapnet("train", "evaluate=1"), "evaluate=1: ", "true", "false")
    outcome = gapnet("train", *SMALL, *QUICK, f"data.root={shapes_root}", "evaluate=false")
    assert outcome.status == 0, outcome.err
    run = (tmp_path / "runs" / "latest").resolve()
    assert (run / "checkpoints" / "best.ckpt").is_file()
    assert not (run / "predictions").exists()
    assert not (run / "metrics.json").exists()


@pytest.mark.parametrize(
    ("own", "group"), [([], ["group='Monday'"]), (["group=mine"], ["group=mine"])]
)
def test_the_jobs_of_a_sweep_are_one_group(own: list[str], group: list[str]) -> None:
    hydra = {"overrides": {"task": own}, "sweep": {"dir": "runs/sweeps/Monday"}}
    config = OmegaConf.create({"group": None, "hydra": hydra})
    set_group(config)
    assert config.hydra.overrides.task == group


def test_a_command_without_groups_gets_none() -> None:
    config = OmegaConf.create({"hydra": {"overrides": {"task": []}, "sweep": {"dir": "x"}}})
    set_group(config)
    assert config.hydra.overrides.task == []


@pytest.mark.slow
def test_every_job_of_a_sweep_gets_the_group(gapnet: Command, tmp_path: Path) -> None:
    gapnet("train", "-m", "seed=-1,-2")
    (sweep,) = (tmp_path / "runs" / "sweeps").iterdir()
    jobs = read_jobs(sweep / "jobs")
    assert len(jobs) == 2
    assert all(f"group='{sweep.name}'" in job.overrides for job in jobs)
