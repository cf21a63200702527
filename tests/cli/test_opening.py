"""Run folders are opened whole, by one process, whatever happened before."""

import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gapnet.errors import GapnetError
from gapnet.jobs import Run, open_job
from gapnet.runs import opening
from gapnet.runs.folder import is_run
from gapnet.runs.opening import link_latest
from gapnet.system.folders import lock_file
from tests.children import at_once, killed_at_each_step
from tests.refusals import refused

FILES = ["config.yaml", "env.json", "log.txt"]
HALF_MADE = [
    ["log.txt"],
    ["log.txt", ".config.yaml.unfinished"],
    ["log.txt", "config.yaml"],
    ["log.txt", "config.yaml", ".env.json.unfinished"],
    ["config.yaml"],
]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gapnet.runs.opening.environment", lambda seed: {"seed": seed})


@pytest.fixture(autouse=True)
def closed_logs() -> Iterator[None]:
    """Close what this process has opened, and its locks with it."""
    before = logging.getLogger().handlers[:]
    yield
    for each in logging.getLogger().handlers[:]:
        if each not in before:
            logging.getLogger().removeHandler(each)
            each.close()


def check_place(folder: Path, runs: Path) -> None:
    with open_job(Run(folder, runs)):
        pass


def opened_earlier(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in FILES:
        (folder / name).write_text("{}")
    (folder / "earlier").touch()


def names_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def nothing(folder: Path) -> None:
    del folder


def emptied(folder: Path) -> None:
    folder.mkdir(parents=True)


def half_made(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "log.txt").touch()


def open_run(folder: Path) -> None:
    opening.open_run(folder, {}, seed=0, continues=False)


def go_on(folder: Path) -> None:
    opening.open_run(folder, {}, seed=0, continues=True)


def open_one(folder: Path) -> None:
    with open_job(Run(folder, folder.parents[1], seed=0)) as job:
        job.open_evaluation(resume=False)


SLOW = [(open_run, opened_earlier), (go_on, half_made), (open_one, nothing)]


@pytest.mark.parametrize(
    ("work", "before"),
    [
        pytest.param(
            work,
            before,
            marks=pytest.mark.slow if (work, before) in SLOW else pytest.mark.nightly,
        )
        for work in (open_run, go_on, open_one)
        for before in (nothing, emptied, half_made, opened_earlier)
    ],
)
def test_a_process_that_is_killed_at_any_step_leaves_what_the_next_one_can_open(
    tmp_path: Path, work: Callable[[Path], None], before: Callable[[Path], None]
) -> None:
    def folder_of(step: int) -> Path:
        return tmp_path / f"runs/{step}/run"

    for step in range(50):
        before(folder_of(step))
    steps = -1
    for steps in killed_at_each_step(lambda step: work(folder_of(step)), tmp_path):
        folder = folder_of(steps)
        work(folder)
        names = names_in(folder.parent)
        earlier = [each for each in names if (folder.with_name(each) / "earlier").is_file()]
        assert is_run(folder)
        assert len(earlier) == (before is opened_earlier)
        assert [each for each in names if each[0] == "."] == []
    assert steps > 5


@pytest.mark.slow
@pytest.mark.parametrize("before", [nothing, emptied, half_made, opened_earlier])
def test_of_two_processes_at_once_one_opens_the_folder(
    tmp_path: Path, before: Callable[[Path], None]
) -> None:
    for number in range(5):
        folder = tmp_path / f"runs/{number}/run"
        before(folder)
        won, lost = at_once(lambda folder=folder: open_run(folder))
        assert won == ""
        assert f"{folder}: " in lost
        assert names_in(folder) == FILES
        aside = names_in(folder.parent)
        assert aside == (["run", "run.1"] if before is opened_earlier else ["run"])


def test_the_log_goes_on_and_is_locked_after_the_folder_got_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "runs/0/run"
    open_run(folder)
    logging.getLogger("gapnet").error("said later")
    (line,) = at_once(lambda: open_run(folder), times=1)
    assert f"{folder}: " in line
    assert "said later" in (folder / "log.txt").read_text()  # at last: this ends the lock


def test_a_process_that_is_refused_writes_nothing_into_the_log_of_the_other(tmp_path: Path) -> None:
    folder = tmp_path / "runs/0/run"
    go_on(folder)
    handlers = logging.getLogger().handlers[:]

    def go_on_in_vain() -> None:
        try:
            go_on(folder)
        finally:
            added = set(logging.getLogger().handlers) - set(handlers)
            assert not added

    (line,) = at_once(go_on_in_vain, times=1)
    assert f"{folder}: " in line


@pytest.mark.parametrize("names", HALF_MADE, ids=" ".join)
@pytest.mark.parametrize("work", [open_run, go_on, open_one])
def test_a_half_made_folder_is_taken_over(
    tmp_path: Path, names: list[str], work: Callable[[Path], None]
) -> None:
    folder = tmp_path / "runs/0/run"
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_text("half")
    work(folder)
    assert names_in(folder) == FILES
    assert json.loads((folder / "env.json").read_text())["seed"] == 0


@pytest.mark.parametrize("name", ["mine.txt", ".hidden", "checkpoints/last.ckpt", "log.txt/a"])
def test_a_folder_with_something_else_is_refused_and_left_alone(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "runs/0/run"
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_text("mine")
    (folder / "config.yaml").write_text("a: 1")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with refused(folder):
        open_run(folder)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}.keys() == before.keys()
    assert (folder / name).read_text() == "mine"


def test_a_folder_that_cannot_be_described_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gapnet.runs.opening.write_file", full)
    folder = tmp_path / "runs/0/run"
    opened_earlier(folder)
    with refused(folder, "No space left on device", "paths.runs"):
        open_run(folder)
    assert names_in(folder.parent) == ["run"]
    assert (folder / "earlier").is_file()


# Symbolic links


@pytest.mark.parametrize("link", ["runs/0/run", "runs/0"])
def test_a_link_that_leads_out_of_the_runs_is_refused(tmp_path: Path, link: str) -> None:
    foreign = tmp_path / "foreign"
    opened_earlier(foreign if link == "runs/0/run" else foreign / "run")
    (tmp_path / link).parent.mkdir(parents=True)
    (tmp_path / link).symlink_to(foreign)
    before = sorted(tmp_path.rglob("*"))
    with refused(tmp_path / "runs/0/run", foreign):
        check_place(tmp_path / "runs/0/run", tmp_path / "runs")
    assert sorted(tmp_path.rglob("*")) == before


def test_runs_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "runs").symlink_to("disk")
    check_place(tmp_path / "runs/0/run", tmp_path / "runs")


def test_a_folder_that_the_user_names_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "mine").symlink_to("disk")
    check_place(tmp_path / "mine", tmp_path / "runs")


@pytest.mark.parametrize("name", ["log.txt", "checkpoints", "logs", "predictions/test"])
def test_a_run_does_not_go_on_through_a_link(tmp_path: Path, name: str) -> None:
    folder, foreign = tmp_path / "runs/0/run", tmp_path / "foreign"
    opened_earlier(folder)
    foreign.touch()
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(foreign)
    with refused(folder / name, foreign):
        go_on(folder)
    assert foreign.read_text() == ""


@pytest.mark.parametrize("name", ["config.yaml", ".config.yaml.unfinished"])
def test_a_file_that_is_a_link_is_replaced_and_not_written_through(
    tmp_path: Path, name: str
) -> None:
    folder, foreign = tmp_path / "runs/0/run", tmp_path / "foreign"
    opened_earlier(folder)
    foreign.write_text("foreign")
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(foreign)
    go_on(folder)
    assert foreign.read_text() == "foreign"
    assert not (folder / "config.yaml").is_symlink()
    assert (folder / "config.yaml").read_text() != "foreign"


def test_latest_points_at_the_run(tmp_path: Path) -> None:
    folder = tmp_path / "runs/0/run"
    folder.mkdir(parents=True)
    (tmp_path / f"runs/.latest-{os.getpid()}").symlink_to("left by a process that was killed")
    for _ in range(2):
        link_latest(folder, tmp_path / "runs")
        assert str((tmp_path / "runs/latest").readlink()) == "0/run"
    assert names_in(tmp_path / "runs") == ["0", "latest"]


def test_latest_points_at_a_run_elsewhere_though_runs_is_a_link(tmp_path: Path) -> None:
    for name in ("disk/deep/runs", "elsewhere/run"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "runs").symlink_to("disk/deep/runs")
    link_latest(tmp_path / "elsewhere/run", tmp_path / "runs")
    assert (tmp_path / "runs/latest").resolve() == tmp_path / "elsewhere/run"


def test_latest_that_led_elsewhere_is_turned_and_what_it_led_to_is_left_alone(
    tmp_path: Path,
) -> None:
    folder, foreign = tmp_path / "runs/0/run", tmp_path / "foreign"
    folder.mkdir(parents=True)
    foreign.mkdir()
    (foreign / "mine").touch()
    (tmp_path / "runs/latest").symlink_to(foreign)
    link_latest(folder, tmp_path / "runs")
    assert (tmp_path / "runs/latest").resolve() == folder
    assert names_in(foreign) == ["mine"]


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir])
def test_latest_that_is_the_user_s_own_is_left_alone(
    tmp_path: Path, make: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    folder, latest = tmp_path / "runs/0/run", tmp_path / "runs/latest"
    folder.mkdir(parents=True)
    make(latest)
    link_latest(folder, tmp_path / "runs")
    assert not latest.is_symlink()
    assert f"{latest}: " in caplog.text
    assert names_in(tmp_path / "runs") == ["0", "latest"]


# Long paths


@pytest.mark.parametrize("folder", ["n" * 300 + "/run", "n" * 250, "/".join(["n" * 200] * 20)])
def test_a_folder_whose_path_is_too_long_is_refused_before_anything_is_made(
    tmp_path: Path, folder: str
) -> None:
    with pytest.raises(GapnetError, match=r"^folder=.*nn"):
        check_place(tmp_path / "runs" / folder, tmp_path / "runs")
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / ".run.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"), lock_file(tmp_path / ".run.lock", "busy"):
        pass
    assert not (tmp_path / "elsewhere").exists()
