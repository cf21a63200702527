"""`gapnet doctor`."""

import shutil
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
import torch

from gapnet.cli.commands import doctor
from tests.cli.conftest import SMALL, Command, assert_one_line
from tests.data.test_layouts import kaggle
from tests.few import few


def lines(out: str, status: str) -> list[str]:
    return [
        line.removeprefix(status).strip() for line in out.splitlines() if line.startswith(status)
    ]


def test_without_a_data_set_the_installation_is_checked(gapnet: Command, tmp_path: Path) -> None:
    outcome = gapnet("doctor")
    assert outcome.status == 0, outcome.out
    assert outcome.err == ""
    well = lines(outcome.out, "ok")
    assert any(line.startswith("Python 3.") for line in well)
    assert any(line.startswith(f"torch {torch.__version__} and torchvision") for line in well)
    assert any(line.endswith("CPU cores") for line in well)
    assert any("data set" in line for line in lines(outcome.out, "note"))
    assert list(tmp_path.iterdir()) == []


def test_a_sound_data_set_passes(gapnet: Command, tmp_path: Path) -> None:
    root = kaggle(tmp_path / "tree")
    outcome = gapnet("doctor", "data=ilsvrc", f"data.root={root}", "images=all", "workers=1")
    assert outcome.status == 0, outcome.out
    assert any(line.startswith("val: 5 boxes, 1 ") for line in lines(outcome.out, "ok"))
    assert [path.name for path in tmp_path.iterdir()] == ["tree"]


def test_what_is_wrong_comes_with_what_to_do_and_status_1(gapnet: Command, tmp_path: Path) -> None:
    root = kaggle(tmp_path / "tree")
    (root / "ILSVRC/Data/CLS-LOC/val/v_0001.JPEG").unlink()
    outcome = gapnet("doctor", "data=ilsvrc", f"data.root={root}")
    assert outcome.status == 1
    wrong = next(line for line in outcome.out.splitlines() if line.startswith("wrong"))
    assert "val: 1 " in wrong
    following = outcome.out.splitlines()[outcome.out.splitlines().index(wrong) + 1]
    assert following.startswith("       -> ")
    assert outcome.err.splitlines()[-1].startswith("gapnet doctor: 1 of ")


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ([], "note"),
        (["splits=[val]"], "note"),
        (["splits=[train_cls]"], "wrong"),
        (["data.train_split=train_cls"], "wrong"),
    ],
)
@pytest.mark.slow
def test_a_tree_of_validation_alone_passes_unless_training_is_asked_for(
    gapnet: Command, tmp_path: Path, arguments: list[str], status: str
) -> None:
    root = kaggle(tmp_path / "tree")
    (root / "ILSVRC/ImageSets/CLS-LOC/train_cls.txt").unlink()
    shutil.rmtree(root / "ILSVRC/Data/CLS-LOC/train")
    outcome = gapnet("doctor", "data=ilsvrc", f"data.root={root}", "workers=1", *arguments)
    assert outcome.status == (status == "wrong"), outcome.out
    (line,) = [line for line in lines(outcome.out, status) if line.startswith("train_cls: ")]
    assert "'train_cls'" in line


def test_a_data_set_that_is_not_there_is_wrong(gapnet: Command) -> None:
    outcome = gapnet("doctor", "data=ilsvrc", "data.root=nowhere")
    assert outcome.status == 1
    (line,) = lines(outcome.out, "wrong")
    assert line.startswith("data: data.root=nowhere: ")
    remedy = lines(outcome.out, "       ->")[-1]  # others are of extras that are not installed
    assert "data.root=" in remedy


@pytest.mark.parametrize(
    ("arguments", "parts"),
    few(
        [
            (["data.root=x"], ["data.root: ", "data=ilsvrc"]),
            (["data=shapes", "images=some"], ["images=some: ", "headers, all, none"]),
            (["data=shapes", "workers=0"], ["workers=0: "]),
            (["image=all"], ["image: ", "'images'"]),
        ],
        2,
    ),
)
def test_a_wrong_argument_is_named(
    gapnet: Command, shapes_root: Path, arguments: list[str], parts: list[str]
) -> None:
    place = [f"data.root={shapes_root}", *SMALL[:-1]] if "data=shapes" in arguments else []
    assert_one_line(gapnet("doctor", *arguments, *place), *parts)


def test_a_pair_that_does_not_match_ends_the_checks(
    gapnet: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("operator torchvision::nms does not exist\nat all")

    monkeypatch.setattr("torchvision.ops.nms", fail)
    outcome = gapnet("doctor", "data=ilsvrc", "data.root=nowhere")
    assert outcome.status == 1
    (wrong,) = lines(outcome.out, "wrong")
    assert "torchvision" in wrong
    assert wrong.endswith("(operator torchvision::nms does not exist)")
    assert "-> pip install --force-reinstall torch torchvision" in outcome.out


@pytest.mark.slow
def test_a_package_that_cannot_be_imported_is_told(
    gapnet: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    assert any("torchvision" in line for line in lines(gapnet("doctor").out, "wrong"))


def test_requirements_are_held_against_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = {"gapnet": "1.0", "torch": "2.1", "onnx": "1.17"}

    def version(name: str) -> str:
        if name not in installed:
            raise PackageNotFoundError(name)
        return installed[name]

    required = [
        "torch>=2.8",
        "scipy>=1.14",
        "onnx>=1.17; extra == 'export'",
        "shap; extra == 'xai'",
    ]
    monkeypatch.setattr(doctor, "version", version)
    monkeypatch.setattr(doctor, "requires", lambda _: required)
    monkeypatch.setattr(doctor, "metadata", lambda _: Metadata())
    rows = list(doctor._check_requirements())
    assert [(status, remedy) for status, _, remedy in rows] == [
        ("wrong", "pip install 'torch>=2.8' 'scipy>=1.14'"),
        ("ok", ""),
        ("note", "pip install 'gapnet[xai]'"),
    ]
    parts = [["torch>=2.8 (2.1), scipy>=1.14 "], ["export"], ["xai", "shap"]]
    for (_, text, _), expected in zip(rows, parts, strict=True):
        assert all(part in text for part in expected), text


class Metadata:
    def get_all(self, name: str) -> list[str]:
        return ["export", "xai"]


def test_a_checkout_that_is_not_installed_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(doctor, "metadata", missing)
    ((status, text, remedy),) = doctor._check_requirements()
    assert (status, remedy) == ("note", "pip install -e .")
    assert "gapnet" in text


def test_a_place_that_cannot_be_written_is_wrong(gapnet: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    outcome = gapnet("doctor", "paths.runs=file/runs")
    assert outcome.status == 1
    (line,) = lines(outcome.out, "wrong")
    assert line.startswith("paths.runs=file/runs: ")


@pytest.mark.parametrize(("free", "status"), [(0.5, "wrong"), (5, "note"), (500, "ok")])
def test_little_room_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: float, status: str
) -> None:
    class Usage:
        def __init__(self, _: Path) -> None:
            self.free = free * doctor.GIB

    monkeypatch.setattr(doctor.shutil, "disk_usage", Usage)
    ((found, text, _),) = doctor._check_disk(tmp_path / "runs")
    assert found == status
    assert f"{free:.0f} GiB" in text


def test_a_machine_without_a_gpu_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    ((status, text, _),) = doctor._check_devices()
    assert status == "note"
    assert "CUDA" in text


def test_a_gpu_that_cannot_compute_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise RuntimeError("no kernel image is available for execution on the device\nmore")

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "mem_get_info", fail)
    ((status, text, remedy),) = doctor._check_devices()
    assert (status, "no kernel image" in text) == ("wrong", True)
    assert "torch" in remedy


@pytest.mark.gpu
def test_a_gpu_is_described() -> None:
    (first, *_) = doctor._check_devices()
    assert first[0] == "ok"
    assert "GiB free" in first[1]
