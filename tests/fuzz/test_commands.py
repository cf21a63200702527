"""Commands with spoiled files: status 1, one line, and no file is left."""

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import SMALL, Command
from tests.fuzz.model_files import checkpoint, make_run
from tests.fuzz.prediction_files import guesses, make_map

XML = "ILSVRC/Annotations/CLS-LOC/val/SHAPES_val_00000003.xml"


def halve(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def nest(path: Path) -> None:
    path.write_bytes(b"[" * 50_000)


def maps(folder: Path) -> Path:
    for number in reversed(range(12)):
        path = make_map(folder).rename(folder / f"SHAPES_test_{number:08d}.npy")
    return path


def refused(gapnet: Command, folder: Path, name: str, *arguments: str) -> None:
    """Check that a command ends with a line that names a file, and leaves only a run's folder."""
    before = set(folder.rglob("*"))
    outcome = gapnet(*arguments, "loader.num_workers=0")
    *progress, last = outcome.err.splitlines()
    assert outcome.status == 1
    assert last.startswith("gapnet ")
    assert name in last
    assert "HYDRA_FULL_ERROR" not in last  # a hint for errors that are bugs
    assert progress in ([], ["boxing 12 maps of test"])
    left = {path for path in folder.rglob("*") if path.is_file()} - before
    assert {path.name for path in left} <= {"config.yaml", "env.json", "log.txt"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "make", "spoil"),
    [
        ("checkpoint", lambda folder: checkpoint(folder / "a.ckpt"), halve),
        ("run", make_run, nest),
        ("predictions", guesses("kaggle"), halve),
        ("predictions", guesses("coco"), nest),
        ("maps", maps, halve),
    ],
)
def test_an_evaluation_of_a_spoiled_file_says_so(  # noqa: PLR0917
    gapnet: Command, tmp_path: Path, shapes_root: Path, key: str, make, spoil
) -> None:
    path = make(tmp_path)
    spoil(path)
    place = path.parent if key in {"run", "maps"} else path
    data = [] if key == "run" else [*SMALL[:-1], f"data.root={shapes_root}"]
    refused(gapnet, tmp_path, path.name, "evaluate", f"{key}={place}", *data)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "spoil"), [(XML, halve), ("shapes.json", nest)])
def test_a_training_on_spoiled_data_says_so(
    gapnet: Command, tmp_path: Path, shapes_root: Path, name: str, spoil
) -> None:
    tree = Path(shutil.copytree(shapes_root, tmp_path / "tree"))
    spoil(tree / name)
    refused(gapnet, tmp_path, Path(name).name, "train", *SMALL, f"data.root={tree}")
