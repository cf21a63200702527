"""resume=: what goes on, what starts afresh, what is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from gapnet.jobs import resume
from gapnet.jobs.resume import Start, check_agreed
from gapnet.models.checkpoint_file import pack_checkpoint, read_checkpoint
from tests.children import held
from tests.cli.conftest import QUICK, SMALL, Command, Train, Trained, assert_one_line
from tests.few import few
from tests.refusals import refused


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


def run_in(home: Path) -> Path:
    (run,) = (home / "runs" / "small").iterdir()
    return run


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_what_is_trained_already_is_not_trained_again(
    train_with: Train, job: list[str], tmp_path: Path
) -> None:
    before = (run_in(tmp_path) / "training.json").stat().st_mtime_ns
    outcome = train_with(*job, "resume=auto")
    assert outcome.status == 0, outcome.err
    assert "predicting test: 0 images" in outcome.err
    assert (run_in(tmp_path) / "training.json").stat().st_mtime_ns == before
    assert len(list((tmp_path / "runs" / "small").iterdir())) == 1


@pytest.mark.slow
def test_auto_with_nothing_there_says_that_it_starts_afresh(
    train_with: Train, job: list[str]
) -> None:
    outcome = train_with(*job, "resume=auto", "name=fresh", "evaluate=false")
    assert outcome.status == 0, outcome.err
    assert "resume=auto: " in outcome.err


def test_another_configuration_is_refused_with_all_differences(
    train_with: Train, job: list[str], tmp_path: Path
) -> None:
    run = run_in(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    outcome = train_with(*job, f"resume={run}", "optim.lr=0.5", "seed=3")
    differences = ["optim.lr=0.004", "0.5", "seed=0", "3"]
    assert_one_line(outcome, f"{run}: ", *differences, "resume_changed=true")
    assert before == {path: path.stat().st_mtime_ns for path in run.rglob("*")}


@pytest.mark.slow
def test_another_configuration_goes_on_elsewhere_if_that_is_said(
    train_with: Train, job: list[str], tmp_path: Path
) -> None:
    run = run_in(tmp_path)
    longer = [*job, f"resume={run}", "trainer.max_epochs=2", "evaluate=false"]
    outcome = train_with(*longer, "resume_changed=true")
    assert outcome.status == 0, outcome.err
    other = (tmp_path / "runs" / "latest").resolve()
    assert other != run
    assert json.loads((other / "training.json").read_text())["resumed_at"] == 3
    curves = (run / "logs" / "metrics.csv").read_text()
    assert (other / "logs" / "metrics.csv").read_text().startswith(curves)
    assert (other / "checkpoints" / "best.ckpt").is_file()


@pytest.mark.slow
def test_a_run_goes_on_at_another_place(train_with: Train, job: list[str], tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    run = run_in(tmp_path)
    run.rename(moved)
    outcome = train_with(*job, f"resume={moved}", "evaluate=false")
    assert outcome.status == 0, outcome.err
    best = torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)
    assert best["global_step"] == 3


@pytest.mark.parametrize(
    "make",
    few(
        [
            lambda file: None,
            lambda file: file.write_bytes(b"PK\x03\x04 torn"),
            lambda file: torch.save({"state_dict": {}}, file),
            lambda file: torch.save(Evil(file.with_name("ran")), file),
        ],
        2,
    ),
    ids=["none", "torn", "bare", "evil"],
)
def test_what_is_no_checkpoint_is_refused(
    make: Callable[[Path], None], train_with: Train, job: list[str], tmp_path: Path
) -> None:
    file = run_in(tmp_path) / "checkpoints" / "last.ckpt"
    file.unlink()
    make(file)
    outcome = train_with(*job, f"resume={file}")
    assert_one_line(outcome, "resume=", str(file))
    assert not file.with_name("ran").exists()


def test_a_checkpoint_without_its_run_is_refused(
    train_with: Train, job: list[str], tmp_path: Path
) -> None:
    run = run_in(tmp_path)
    alone = shutil.copy(run / "checkpoints" / "last.ckpt", tmp_path / "alone.ckpt")
    outcome = train_with(*job, f"resume={alone}")
    assert_one_line(outcome, f"resume={alone}: ", "model.weights=FILE")


@pytest.mark.parametrize("resume", ["null", "auto"])
@pytest.mark.slow
def test_a_folder_whose_process_was_killed_at_once_is_taken_over(
    train_with: Train, job: list[str], tmp_path: Path, resume: str
) -> None:
    (run,) = (tmp_path / "runs" / "small").iterdir()
    shutil.rmtree(run)
    run.mkdir()
    (run / "log.txt").touch()
    outcome = train_with(*job, "evaluate=false", f"resume={resume}")
    assert outcome.status == 0, outcome.err
    assert (run / "training.json").is_file()
    assert list(run.parent.iterdir()) == [run]


@pytest.mark.parametrize("resume", ["null", "auto"])
def test_a_run_that_a_link_leads_to_is_left_alone(
    train_with: Train, job: list[str], tmp_path: Path, resume: str
) -> None:
    (run,) = (tmp_path / "runs" / "small").iterdir()
    foreign = run.rename(tmp_path / "foreign")
    run.symlink_to(foreign)
    before = {path: path.stat().st_mtime_ns for path in foreign.rglob("*")}
    outcome = train_with(*job, f"resume={resume}")
    assert_one_line(outcome, f"{run}: ", f" {foreign}")
    assert before == {path: path.stat().st_mtime_ns for path in foreign.rglob("*")}
    assert list(run.parent.iterdir()) == [run]


@pytest.mark.parametrize("resume", ["null", "auto"])
def test_a_name_that_is_too_long_is_one_line_and_leaves_nothing(
    train_with: Train, job: list[str], tmp_path: Path, resume: str
) -> None:
    before = sorted(tmp_path.rglob("*"))
    outcome = train_with(*job, f"name={'n' * 300}", f"resume={resume}")
    assert_one_line(outcome, "folder=", "nnn")
    deep = "/".join(["n" * 200] * 21)
    outcome = train_with(*job, f"folder={deep}", f"resume={resume}")
    assert_one_line(outcome, "folder=", "nnn")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("resume", few(["null", "auto"], 1))
def test_a_run_that_is_at_work_is_left_alone(
    train_with: Train, job: list[str], tmp_path: Path, resume: str
) -> None:
    (run,) = (tmp_path / "runs" / "small").iterdir()
    with held(run / "log.txt"):
        outcome = train_with(*job, f"resume={resume}")
    assert outcome.status == 1
    assert f"{run.relative_to(tmp_path)}: " in outcome.err.splitlines()[-1]
    assert list(run.parent.iterdir()) == [run]
    assert "at work" not in (run / "log.txt").read_text()


def test_a_damaged_checkpoint_is_passed_over_and_set_aside(
    train_with: Train, job: list[str], tmp_path: Path
) -> None:
    run = run_in(tmp_path)
    folder = run / "checkpoints"
    flip(folder / "last.ckpt")
    outcome = train_with(*job, "resume=auto", "evaluate=false")
    assert outcome.status == 0, outcome.err
    (line,) = [line for line in outcome.err.splitlines() if "previous.ckpt: " in line]
    for part in ("last.ckpt: ", "previous.ckpt: ", f" {folder / 'best.ckpt'}, step 3"):
        assert part in line
    assert line in (run / "log.txt").read_text()
    assert read_checkpoint(folder / "last.ckpt")["global_step"] == 3
    assert (folder / "last.ckpt.damaged").is_file()
    assert (run / "training.json").is_file()


@pytest.mark.slow
def test_a_missing_last_checkpoint_is_passed_over(
    train_with: Train, job: list[str], tmp_path: Path
) -> None:
    folder = run_in(tmp_path) / "checkpoints"
    (folder / "last.ckpt").rename(folder / "previous.ckpt")
    outcome = train_with(*job, "resume=auto", "evaluate=false")
    assert outcome.status == 0, outcome.err
    (line,) = [line for line in outcome.err.splitlines() if "last.ckpt: " in line]
    assert f" {folder / 'previous.ckpt'}, step 3" in line


@pytest.mark.slow
def test_a_run_without_a_usable_checkpoint_is_refused_with_all_of_them(
    train_with: Train, job: list[str], tmp_path: Path
) -> None:
    run = run_in(tmp_path)
    for name in ("last", "best"):
        flip(run / "checkpoints" / f"{name}.ckpt")
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    for named in ("auto", run):
        outcome = train_with(*job, f"resume={named}")
        assert_one_line(outcome, "resume=", "last.ckpt: ", "previous.ckpt: ", "best.ckpt: ")
    assert before == {path: path.stat().st_mtime_ns for path in run.rglob("*")}


@pytest.mark.parametrize(
    "arguments",
    [["train", "resume"], ["evaluate", "checkpoint"], ["export", "checkpoint"]],
    ids=str,
)
@pytest.mark.slow
def test_a_damaged_file_that_is_named_is_refused(
    gapnet: Command, job: list[str], tmp_path: Path, arguments: list[str]
) -> None:
    command, key = arguments
    path = run_in(tmp_path) / "checkpoints" / "last.ckpt"
    flip(path)
    others = job if command == "train" else ["to=safetensors"] if command == "export" else []
    assert_one_line(gapnet(command, *others, f"{key}={path}"), f"{path}: ")


@pytest.mark.slow
def test_a_damaged_best_checkpoint_is_told_when_a_training_goes_on(
    train_with: Train, job: list[str], tmp_path: Path
) -> None:
    flip(run_in(tmp_path) / "checkpoints" / "best.ckpt")
    outcome = train_with(*job, "resume=auto", "evaluate=false")
    assert outcome.status == 0, outcome.err
    (line,) = [line for line in outcome.err.splitlines() if "best.ckpt: " in line]
    assert "checkpoint=last" in line


def alter(text: str) -> str:
    place = text.rindex(".") + 3
    return f"{text[:place]}{9 - int(text[place])}{text[place + 1 :]}"


@pytest.mark.parametrize(
    "spoil",
    few(
        [
            lambda path: path.unlink(),
            lambda path: path.write_bytes(path.read_bytes()[:-7]),
            lambda path: path.write_bytes(alter(path.read_text()).encode()),
            lambda path: path.write_bytes(b""),
        ],
        1,
    ),
    ids=["missing", "truncated", "altered", "emptied"],
)
def test_curves_that_are_not_what_was_logged_are_written_again(
    train_with: Train, job: list[str], tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    path = run_in(tmp_path) / "logs" / "metrics.csv"
    whole = path.read_bytes()
    spoil(path)
    outcome = train_with(*job, "resume=auto", "evaluate=false")
    assert outcome.status == 0, outcome.err
    (line,) = [line for line in outcome.err.splitlines() if f"{path}: " in line]
    assert "step 3" in line
    assert path.read_bytes() == whole


def make_earlier(folder: Path) -> int:
    """Write the last checkpoint as earlier versions did; give the rows that it counts."""
    path = folder / "checkpoints" / "last.ckpt"
    content = read_checkpoint(path)
    rows = content["gapnet"].pop("curves").count("\n") - 1
    content["gapnet"]["rows"] = rows
    torch.save(content, path)
    return rows


@pytest.mark.slow
def test_a_checkpoint_of_an_earlier_version_goes_on(
    train_with: Train, job: list[str], tmp_path: Path
) -> None:
    run = run_in(tmp_path)
    curves = (run / "logs" / "metrics.csv").read_bytes()
    make_earlier(run)
    longer = [*job, f"resume={run}", "trainer.max_epochs=2", "evaluate=false"]
    outcome = train_with(*longer, "resume_changed=true")
    assert outcome.status == 0, outcome.err
    other = (tmp_path / "runs" / "latest").resolve()
    assert (other / "logs" / "metrics.csv").read_bytes().startswith(curves)


@pytest.mark.slow
def test_rows_that_an_earlier_version_s_checkpoint_misses_are_counted(
    train_with: Train, job: list[str], tmp_path: Path
) -> None:
    run = run_in(tmp_path)
    rows = make_earlier(run)
    (run / "logs" / "metrics.csv").unlink()
    outcome = train_with(*job, "resume=auto", "evaluate=false")
    assert outcome.status == 0, outcome.err
    assert f"metrics.csv: {rows} of the first {rows} rows" in outcome.err


@pytest.mark.parametrize(
    "ours", few([{}, {"rows": "many"}, {"curves": 3}, {"curves": "x" * 200_000 + "\n"}], 1)
)
def test_a_checkpoint_with_other_curves_is_refused(
    train_with: Train, job: list[str], tmp_path: Path, ours: dict[str, object]
) -> None:
    path = run_in(tmp_path) / "checkpoints" / "last.ckpt"
    content = read_checkpoint(path) | {"gapnet": ours}
    path.write_bytes(pack_checkpoint(content).getbuffer())
    outcome = train_with(*job, f"resume={path}")
    assert_one_line(outcome, "resume=", "last.ckpt: ")


@pytest.mark.slow
def test_a_run_goes_on_where_runs_is_a_link(
    train_with: Train, job: list[str], tmp_path: Path
) -> None:
    (tmp_path / "runs").rename(tmp_path / "elsewhere")
    (tmp_path / "runs").symlink_to(tmp_path / "elsewhere")
    before = (run_in(tmp_path) / "training.json").stat().st_mtime_ns
    outcome = train_with(*job, "resume=auto", "evaluate=false")
    assert outcome.status == 0, outcome.err
    assert (run_in(tmp_path) / "training.json").stat().st_mtime_ns == before
    assert len(list((tmp_path / "runs" / "small").iterdir())) == 1


def test_processes_that_found_different_checkpoints_do_not_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = Start(Path("a", "last.ckpt"), Path("a"), 7)
    check_agreed(start)
    monkeypatch.setattr(resume, "gather", lambda names: [*names, "previous.ckpt (step 5)"])
    with refused("resume", "last.ckpt", "7", "previous.ckpt", "5"):
        check_agreed(start)
