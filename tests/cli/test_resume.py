"""resume=: what goes on, what starts afresh, what is refused."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from tests.children import held
from tests.cli.conftest import QUICK, SMALL, Command, Trained, assert_one_line


class Evil:
    """Write a file when it is unpickled."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (Path.write_text, (self.place, "ran"))


@pytest.fixture
def job(trained: Trained, tmp_path: Path) -> list[str]:
    """Name the training of `trained` again, with a copy of its run where it would be."""
    config = trained.run.parent / trained.run.name
    shutil.copytree(config, tmp_path / "runs" / "small" / trained.run.name)
    data = OmegaConf.load(trained.run / "config.yaml").data
    return [*SMALL, *QUICK, f"data.root={data.root}", f"paths.data={data.folder}", "name=small"]


def test_what_is_trained_already_is_not_trained_again(
    gapnet: Command, job: list[str], tmp_path: Path
) -> None:
    outcome = gapnet("train", *job, "resume=auto")
    assert outcome.status == 0, outcome.err
    assert "is trained already" in outcome.err
    assert "predicting test: 0 images that are missing" in outcome.err
    assert len(list((tmp_path / "runs" / "small").iterdir())) == 1


def test_auto_with_nothing_there_says_that_it_starts_afresh(
    gapnet: Command, job: list[str]
) -> None:
    outcome = gapnet("train", *job, "resume=auto", "name=fresh", "evaluate=false")
    assert outcome.status == 0, outcome.err
    assert "resume=auto: " in outcome.err
    assert "has no checkpoint yet; starting afresh" in outcome.err


def test_another_configuration_is_refused_with_all_differences(
    gapnet: Command, job: list[str], tmp_path: Path
) -> None:
    (run,) = (tmp_path / "runs" / "small").iterdir()
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    outcome = gapnet("train", *job, f"resume={run}", "optim.lr=0.5", "seed=3")
    assert outcome.status == 1
    assert "was begun with optim.lr=0.004, not 0.5; with seed=0, not 3" in outcome.err
    assert "resume_changed=true goes on all the same" in outcome.err
    assert before == {path: path.stat().st_mtime_ns for path in run.rglob("*")}


def test_another_configuration_goes_on_elsewhere_if_that_is_said(
    gapnet: Command, job: list[str], tmp_path: Path
) -> None:
    (run,) = (tmp_path / "runs" / "small").iterdir()
    longer = [*job, f"resume={run}", "trainer.max_epochs=2", "evaluate=false"]
    outcome = gapnet("train", *longer, "resume_changed=true")
    assert outcome.status == 0, outcome.err
    other = (tmp_path / "runs" / "latest").resolve()
    assert other != run
    assert json.loads((other / "training.json").read_text())["resumed_at"] == 3
    kept = (run / "logs" / "metrics.csv").read_text()
    assert (other / "logs" / "metrics.csv").read_text().startswith(kept)
    assert (other / "checkpoints" / "best.ckpt").is_file()


def test_a_run_goes_on_at_another_place(gapnet: Command, job: list[str], tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    (run,) = (tmp_path / "runs" / "small").iterdir()
    run.rename(moved)
    outcome = gapnet("train", *job, f"resume={moved}", "evaluate=false")
    assert outcome.status == 0, outcome.err
    best = torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)
    assert best["global_step"] == 3


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda file: None, "there is no"),
        (lambda file: file.write_bytes(b"PK\x03\x04 torn"), "is truncated or no checkpoint"),
        (lambda file: torch.save({"state_dict": {}}, file), "is no checkpoint of a training"),
        (lambda file: torch.save(Evil(file.with_name("ran")), file), "more than tensors"),
    ],
    ids=["none", "torn", "bare", "evil"],
)
def test_what_is_no_checkpoint_is_refused(
    make: object, told: str, gapnet: Command, job: list[str], tmp_path: Path
) -> None:
    (run,) = (tmp_path / "runs" / "small").iterdir()
    file = run / "checkpoints" / "last.ckpt"
    file.unlink()
    make(file)
    outcome = gapnet("train", *job, f"resume={run}")
    assert outcome.status == 1
    assert told in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert not file.with_name("ran").exists()


def test_a_checkpoint_without_its_run_is_refused(
    gapnet: Command, job: list[str], tmp_path: Path
) -> None:
    (run,) = (tmp_path / "runs" / "small").iterdir()
    alone = shutil.copy(run / "checkpoints" / "last.ckpt", tmp_path / "alone.ckpt")
    outcome = gapnet("train", *job, f"resume={alone}")
    assert outcome.status == 1
    assert "does not lie in a run folder" in outcome.err
    assert "model.weights=FILE" in outcome.err


@pytest.mark.parametrize("resume", ["null", "auto"])
def test_a_folder_whose_process_was_killed_at_once_is_taken_over(
    gapnet: Command, job: list[str], tmp_path: Path, resume: str
) -> None:
    (run,) = (tmp_path / "runs" / "small").iterdir()
    shutil.rmtree(run)
    run.mkdir()
    (run / "log.txt").touch()
    outcome = gapnet("train", *job, "evaluate=false", f"resume={resume}")
    assert outcome.status == 0, outcome.err
    assert (run / "training.json").is_file()
    assert list(run.parent.iterdir()) == [run]


@pytest.mark.parametrize("resume", ["null", "auto"])
def test_a_run_that_a_link_leads_to_is_left_alone(
    gapnet: Command, job: list[str], tmp_path: Path, resume: str
) -> None:
    (run,) = (tmp_path / "runs" / "small").iterdir()
    foreign = run.rename(tmp_path / "foreign")
    run.symlink_to(foreign)
    before = {path: path.stat().st_mtime_ns for path in foreign.rglob("*")}
    outcome = gapnet("train", *job, f"resume={resume}")
    assert_one_line(outcome, f"{run}: a symbolic link leads to {foreign}")
    assert before == {path: path.stat().st_mtime_ns for path in foreign.rglob("*")}
    assert list(run.parent.iterdir()) == [run]


@pytest.mark.parametrize("resume", ["null", "auto"])
def test_a_name_that_is_too_long_is_one_line_and_leaves_nothing(
    gapnet: Command, job: list[str], tmp_path: Path, resume: str
) -> None:
    before = sorted(tmp_path.rglob("*"))
    outcome = gapnet("train", *job, f"name={'n' * 300}", f"resume={resume}")
    assert_one_line(outcome, "folder=", "is too long", "choose shorter names")
    deep = "/".join(["n" * 200] * 21)
    outcome = gapnet("train", *job, f"folder={deep}", f"resume={resume}")
    assert_one_line(outcome, "folder=", "is too long", "choose shorter names")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("resume", ["null", "auto"])
def test_a_run_that_is_at_work_is_left_alone(
    gapnet: Command, job: list[str], tmp_path: Path, resume: str
) -> None:
    (run,) = (tmp_path / "runs" / "small").iterdir()
    with held(run / "log.txt"):
        outcome = gapnet("train", *job, f"resume={resume}")
    assert outcome.status == 1
    assert "another process is at work on this run" in outcome.err
    assert list(run.parent.iterdir()) == [run]
    assert "at work" not in (run / "log.txt").read_text()
