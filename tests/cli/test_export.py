"""`gapnet export`."""

import json
import os
import re
import shutil
import sys
import time
from pathlib import Path

import onnxruntime
import pytest
import torch
from huggingface_hub import ModelCard

import gapnet as library
from gapnet.evaluation.store import About, Row, Writer
from gapnet.jobs import export
from gapnet.models import create
from gapnet.report.model_card import model_card
from tests.children import at_once, killed_at_each_step
from tests.cli.conftest import Command, Trained, assert_one_line
from tests.few import few
from tests.refusals import refused


@pytest.fixture
def run(trained: Trained, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained.run, tmp_path / "run"))


@pytest.mark.slow
def test_safetensors_come_with_a_card_that_has_the_run_s_figures(
    gapnet: Command, run: Path
) -> None:
    outcome = gapnet("export", f"run={run}", "to=safetensors")
    assert outcome.status == 0, outcome.err
    folder = run / "export" / "safetensors"
    names = {path.name for path in folder.iterdir()}
    assert names == {"README.md", "config.json", "model.safetensors"}
    images = torch.randn(2, 3, 48, 48)
    assert torch.equal(library.load(folder)(images), library.load(run)(images))
    card = (folder / "README.md").read_text()
    figures = json.loads((run / "metrics.json").read_text())
    assert card.startswith("---\nlibrary_name: gapnet\n")
    assert "On shapes (stand-in data), test split, protocol ilsvrc" in card
    for each in figures:
        assert f"| {100 * each['value']:.2f}% |" in card
    assert "| seed | 0 |" in card


@pytest.mark.slow
def test_onnx_is_written_and_runs(gapnet: Command, run: Path, tmp_path: Path) -> None:
    outcome = gapnet("export", f"run={run}", "to=onnx", f"folder={tmp_path / 'out'}")
    assert outcome.status == 0, outcome.err
    assert "of torch in onnxruntime" in outcome.out
    session = onnxruntime.InferenceSession(tmp_path / "out" / "model.onnx")
    images = torch.zeros(3, 3, 48, 48, dtype=torch.uint8).numpy()
    assert session.run(["maps"], {"images": images})[0].shape == (3, 3, 12, 12)


@pytest.mark.slow
def test_figures_of_another_checkpoint_are_left_out(gapnet: Command, run: Path) -> None:
    outcome = gapnet("export", f"run={run}", "checkpoint=last", "to=safetensors")
    assert outcome.status == 0, outcome.err
    card = (run / "export" / "safetensors" / "README.md").read_text()
    assert "None are recorded for these weights." in card


def test_a_checkpoint_on_its_own_is_exported(gapnet: Command, run: Path, tmp_path: Path) -> None:
    alone = Path(shutil.move(run / "checkpoints" / "best.ckpt", tmp_path / "alone.ckpt"))
    assert gapnet("export", f"checkpoint={alone}", "to=safetensors").status == 0
    assert library.load(tmp_path / "export" / "safetensors").num_classes == 3


def test_an_export_is_uploaded_with_its_license_and_metrics(
    gapnet: Command, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = []

    def keep(folder: Path, repo: str) -> str:
        uploads.append((repo, (folder / "README.md").read_text()))
        return "ADDRESS"

    monkeypatch.setattr(export, "upload", keep)
    outcome = gapnet("export", f"run={run}", "to=safetensors", "push=me/mine", "license=mit")
    assert "ADDRESS" in outcome.out
    ((repo, card),) = uploads
    assert repo == "me/mine"
    data = ModelCard(card).data
    assert (data.license, len(data.eval_results)) == ("mit", 14)


def test_a_checkpoint_in_its_run_has_the_figures_of_that(
    gapnet: Command, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(run.parent)
    outcome = gapnet("export", f"checkpoint={run.name}/checkpoints/best.ckpt", "to=safetensors")
    assert ", 14 " in outcome.out


def test_the_card_of_a_network_without_class_maps_promises_none() -> None:
    with torch.device("meta"):
        card = model_card(create("alexnet", {"num_classes": 3}), {}, [])
    assert "it has no class maps" in card
    assert "class_maps(" not in card


@pytest.mark.parametrize(
    ("arguments", "parts"),
    few(
        [
            (["to=onnx"], ["run=", "checkpoint=", "predictions="]),
            (["run=nix", "to=onnx"], ["run=nix: "]),
            (["run={run}", "to=safetensors", "push=a b"], ["push=a b: "]),
            (["run={run}", "to=safetensors", "license=MIT License"], ["license=MIT License: "]),
            (["run={run}"], ["to=null: ", "onnx, safetensors"]),
            (["run={run}", "to=tensorrt"], ["to=tensorrt: ", "onnx, safetensors"]),
            (["run={run}", "to=onnx", "folder={run}"], ["folder", "{run}: "]),
            (["run={run}", "to=onnx", "checkpoint=nix.ckpt"], ["nix.ckpt: "]),
            (["run={run}", "to=onnx", "folder=/proc/x/y"], ["folder", "/proc/x/y: ", "folder="]),
        ],
        2,
    ),
)
def test_a_wrong_argument_is_named_and_leaves_nothing(
    gapnet: Command, run: Path, arguments: list[str], parts: list[str]
) -> None:
    outcome = gapnet("export", *(argument.format(run=run) for argument in arguments))
    assert_one_line(outcome, *(part.format(run=run) for part in parts))
    assert not (run / "export").exists()


@pytest.mark.slow
def test_a_failing_export_leaves_nothing(
    gapnet: Command, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("gapnet.models.saved.save_file", fail)
    outcome = gapnet("export", f"run={run}", "to=safetensors")
    assert outcome.status == 1
    assert "No space left on device" in outcome.err
    assert list((run / "export").iterdir()) == []


def write_slowly(folder: Path, *, seconds: float = 0.0) -> None:
    with export._new_folder(folder) as unfinished:
        (unfinished / "model").write_text("half")
        time.sleep(seconds)
        (unfinished / "model").write_text("whole")


@pytest.mark.slow
def test_what_a_killed_export_left_is_removed_by_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "export/onnx"
    for _ in killed_at_each_step(lambda _: write_slowly(folder), tmp_path):
        if not folder.exists():  # else it was killed when all was written
            write_slowly(folder)
        assert (folder / "model").read_text() == "whole"
        with refused("folder", folder):
            write_slowly(folder)
        assert [each.name for each in folder.parent.iterdir()] == ["onnx"]
        shutil.rmtree(folder)


@pytest.mark.slow
def test_of_two_exports_to_one_folder_at_once_one_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "export/onnx"
    first, second = at_once(lambda: write_slowly(folder, seconds=0.5))
    assert first == ""
    assert str(folder) in second
    assert (folder / "model").read_text() == "whole"


@pytest.mark.slow
def test_exports_in_two_formats_at_once_are_both_written(tmp_path: Path) -> None:
    def write() -> None:
        write_slowly(tmp_path / "export" / str(os.getpid()), seconds=0.5)

    assert at_once(write) == ["", ""]
    assert len(list((tmp_path / "export").iterdir())) == 2


def test_a_missing_extra_is_named(
    gapnet: Command, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gapnet.models.onnx_export", None)
    outcome = gapnet("export", f"run={run}", "to=onnx")
    assert "pip install 'gapnet[export]'" in outcome.err


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("devkit/test.txt", r"[123]( \d+){4}( [123]( \d+){4}){2}"),
        ("csv/test.csv", "image,rank,class,xmin,ymin,xmax,ymax,score"),
    ],
)
def test_predictions_are_written_in_formats_of_others(
    gapnet: Command, run: Path, name: str, first: str
) -> None:
    made = name.partition("/")[0]
    outcome = gapnet("export", f"predictions={run / 'predictions' / 'test'}", f"to={made}")
    assert outcome.status == 0, outcome.err
    path = run / "predictions" / "test" / "export" / name
    assert outcome.out == f"12 images of the test split: {path}\n"
    assert re.fullmatch(first, path.read_text().splitlines()[0])


@pytest.mark.parametrize(
    ("arguments", "parts"),
    few(
        [
            ([], ["to=null: ", "devkit, kaggle, csv, coco"]),
            (["to=onnx"], ["to=onnx: ", "devkit, kaggle, csv, coco"]),
            (["to=csv", "predictions={run}"], ["predictions={run}: ", "predictions/SPLIT"]),
            (["to=csv", "folder={run}"], ["folder", "{run}: "]),
            (["to=devkit", "labels=wordnet"], ["labels=wordnet: "]),
        ],
        2,
    ),
)
def test_a_wrong_argument_of_predictions_is_named_and_leaves_nothing(
    gapnet: Command, run: Path, arguments: list[str], parts: list[str]
) -> None:
    before = sorted(run.rglob("*"))
    named = f"predictions={run}/predictions/test"
    outcome = gapnet("export", named, *(argument.format(run=run) for argument in arguments))
    assert_one_line(outcome, *(part.format(run=run) for part in parts))
    assert sorted(run.rglob("*")) == before


def test_the_devkit_s_numbers_of_a_thousand_classes_must_be_told(
    gapnet: Command, tmp_path: Path
) -> None:
    classes = tuple(f"n{index:08d}" for index in range(1000))
    writer = Writer(tmp_path / "made", About("val", classes, "net"))
    writer.add([Row("a", 9, 9, [7], [1.0], [7], [0.0, 0.0, 5.0, 5.0])])
    writer.flush()
    arguments = ["predictions=made", "to=devkit", "folder=out"]
    assert_one_line(gapnet("export", *arguments), "to=devkit: ", "synsets=FILE", "labels=index")
    lines = [f"{wnid} {(index + 1) % 1000 + 1} thing" for index, wnid in enumerate(classes)]
    (tmp_path / "map_clsloc.txt").write_text("\n".join(lines) + "\n")
    assert gapnet("export", *arguments, "synsets=map_clsloc.txt").status == 0
    assert (tmp_path / "out" / "val.txt").read_text() == "9 0 0 5 5\n"
