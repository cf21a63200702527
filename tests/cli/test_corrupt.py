"""Images that cannot be read, where data.on_corrupt=skip lets a run go on."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from gapnet.data.sources.ilsvrc import Ilsvrc
from tests.cli.conftest import QUICK, SMALL, Command, Trained

SKIP = "data.on_corrupt=skip"


@pytest.fixture
def tree(shapes_root: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(shapes_root, tmp_path / "tree"))


@pytest.fixture
def data(tree: Path) -> list[str]:
    return ["data=ilsvrc", f"data.root={tree}", "data.test_split=test"]


def spoil(tree: Path, split: str, *rows: int) -> list[str]:
    """Cut images short, and empty the last of them; give their ids."""
    records = Ilsvrc(tree).records(split)
    for row in rows:
        path = records[row].path
        path.write_bytes(path.read_bytes()[:500] if row != rows[-1] else b"")
    return [records[row].id for row in rows]


def verdicts(folder: Path) -> dict[str, dict]:
    return {row["id"]: row for row in pq.read_table(folder / "verdicts.parquet").to_pylist()}


@pytest.mark.slow
def test_an_evaluation_counts_what_it_cannot_read_as_wrong(
    gapnet: Command, trained: Trained, tree: Path, data: list[str]
) -> None:
    broken = spoil(tree, "test", 2, 5, 11)
    run = [f"run={trained.run}", *data, "loader.num_workers=0"]
    outcome = gapnet("evaluate", *run, SKIP, "report.images=12", "folder=scored")
    assert outcome.status == 0, outcome.err
    folder = Path("scored")
    assert (folder / "unreadable.txt").read_text().splitlines() == broken
    assert "3 of 12 images " in outcome.err
    assert "3 of 12 images " in (folder / "log.txt").read_text()
    assert {each["n"] for each in json.loads((folder / "metrics.json").read_text())} == {12}
    found, before = verdicts(folder), verdicts(trained.run)
    errors = [name for name in found[broken[0]] if name.partition("_")[2].startswith("error")]
    errors += ["ilsvrc/gt_known_error", "ilsvrc/top1_localization_error"]
    assert "ilsvrc/top1_error" in errors
    for name in errors:
        assert all(found[each][name] == 1 for each in broken)
    for each in before.keys() - set(broken):
        assert {name: found[each][name] for name in errors} == {
            name: before[each][name] for name in errors
        }
    with Image.open(folder / "pictures.jpg") as sheet:
        assert sheet.width > 0
    assert (folder / "report.html").read_text().count('"picture": "') == 9


@pytest.mark.slow
def test_predictions_of_unreadable_images_are_scored_again_the_same(
    gapnet: Command, trained: Trained, tree: Path, data: list[str]
) -> None:
    broken = spoil(tree, "test", 3, 7)
    run = [f"run={trained.run}", *data, "loader.num_workers=0", SKIP, "report.images=0"]
    assert gapnet("evaluate", *run, "folder=scored").status == 0
    again = ["predictions=scored", "folder=again"]
    outcome = gapnet("evaluate", *again)
    assert outcome.status == 0, outcome.err
    for name in ("metrics.json", "unreadable.txt"):
        assert Path("again", name).read_bytes() == Path("scored", name).read_bytes()
    assert gapnet("export", "predictions=scored/predictions/test", "to=kaggle").status == 0
    lines = Path("scored/predictions/test/export/kaggle/test.csv").read_text().splitlines()
    assert [line for line in lines if line.endswith(",")] == [f"{each}," for each in broken]


@pytest.mark.slow
def test_without_skipping_the_first_unreadable_image_ends_an_evaluation(
    gapnet: Command, trained: Trained, tree: Path, data: list[str]
) -> None:
    spoil(tree, "test", 4, 8)
    run = [f"run={trained.run}", *data, "loader.num_workers=0"]
    outcome = gapnet("evaluate", *run, "folder=scored")
    assert outcome.status == 1
    last = outcome.err.splitlines()[-1]
    assert "SHAPES_test_00000004.JPEG: " in last
    assert "Traceback" not in outcome.err


@pytest.mark.slow
def test_the_first_image_of_a_split_may_be_unreadable_too(
    gapnet: Command, trained: Trained, tree: Path, data: list[str]
) -> None:
    broken = spoil(tree, "test", 0)
    run = [f"run={trained.run}", *data, "loader.num_workers=0", "report.images=0"]
    outcome = gapnet("evaluate", *run, SKIP, "folder=scored")
    assert outcome.status == 0, outcome.err
    assert Path("scored/unreadable.txt").read_text().splitlines() == broken


@pytest.mark.slow
def test_a_training_goes_on_and_tells_each_file_once(
    gapnet: Command, tree: Path, data: list[str]
) -> None:
    broken = spoil(tree, "train_cls", 3, 8, 17)
    more = ["trainer.max_epochs=2", "report.images=0", "data.max_corrupt=3"]
    outcome = gapnet("train", SMALL[-1], *QUICK, *data, SKIP, *more)
    assert outcome.status == 0, outcome.err
    for text in (outcome.err, Path("runs/latest/log.txt").read_text()):
        for image in broken:
            assert len([line for line in text.splitlines() if f"{image}.JPEG" in line]) == 1
    assert not Path("runs/latest/unreadable.txt").exists()


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_too_many_unreadable_images_end_a_training(
    gapnet: Command, tree: Path, data: list[str], workers: int
) -> None:
    spoil(tree, "train_cls", 3, 8, 17)
    more = ["data.max_corrupt=2", f"loader.num_workers={workers}"]
    outcome = gapnet("train", SMALL[-1], *QUICK, *data, SKIP, *more)
    assert outcome.status == 1
    last = outcome.err.splitlines()[-1]
    assert last.startswith("gapnet train: ")
    assert "data.max_corrupt=2" in last
    assert "Traceback" not in outcome.err
