"""gapnet predict: overlays and a table for pictures."""

import csv
import json
from pathlib import Path

import pytest
from PIL import Image

from gapnet.models.weights import files
from tests.cli.conftest import Command, Outcome, Trained, assert_one_line
from tests.few import few


@pytest.fixture
def photos(tmp_path: Path, shapes_root: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, path in enumerate(sorted((shapes_root / "ILSVRC").rglob("*test_*.JPEG"))[:3]):
        Image.open(path).save(folder / f"{number}.png")
    return folder


def rows(path: str) -> list[dict[str, str]]:
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def succeeded(outcome: Outcome) -> str:
    assert outcome.status == 0, outcome.err
    return outcome.out


def test_each_picture_gets_an_overlay_and_a_row(
    gapnet: Command, trained: Trained, photos: Path
) -> None:
    out = succeeded(gapnet("predict", "photos/0.png", "photos/1.png", f"run={trained.run}"))
    table = rows("explained/boxes.csv")
    assert [row["image"] for row in table] == ["photos/0.png", "photos/1.png"]
    assert "explained/boxes.csv" in out
    assert "input: whole pictures at 48 x 48 pixels, bilinear" in out
    for row in table:
        overlay = Image.open(f"explained/{row['image']}.cam.jpg")
        assert overlay.size == (int(row["width"]), int(row["height"]))
        assert 0 <= float(row["x1"]) <= float(row["x2"]) < overlay.width
        assert row["id"] == f"s{int(row['class']):08d}"
        assert " with a " in row["name"]  # as the data set names its classes


@pytest.mark.parametrize("key", ["model", "run"])
def test_a_network_of_the_hub_is_used(
    gapnet: Command, trained: Trained, photos: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    folder = trained.run / "checkpoints"
    monkeypatch.setattr(files, "download", lambda name: folder / "best.ckpt")
    command = ("predict", "photos/0.png", f"{key}=hf-hub:me/mine")
    succeeded(gapnet(*command))
    assert len(rows("explained/boxes.csv")) == 1
    (photos / "other.ckpt").write_text("another revision")  # so nothing of the first one is kept
    monkeypatch.setattr(files, "download", lambda name: photos / "other.ckpt")
    assert_one_line(gapnet(*command), "other.ckpt")


def test_top_classes_and_coco(gapnet: Command, trained: Trained, photos: Path) -> None:
    options = ["top=3", "figure=top", "format=coco", "folder=out"]
    succeeded(gapnet("predict", "photos", f"run={trained.run}", *options))
    content = json.loads(Path("out/boxes.json").read_text())
    assert len(content["images"]) == 3
    assert len(content["annotations"]) == 9
    scores = [sum(a["score"] for a in content["annotations"] if a["image_id"] == n) for n in (0, 1)]
    assert scores == pytest.approx([1, 1], abs=1e-4)
    assert Image.open("out/photos/0.png.top.jpg").width > 3 * 224


@pytest.mark.slow
def test_methods_side_by_side_and_a_class_over_pictures(
    gapnet: Command, trained: Trained, photos: Path
) -> None:
    run = f"run={trained.run}/checkpoints/best.ckpt"
    succeeded(gapnet("predict", "photos/0.png", run, "method=[cam,gradient]", "folder=a"))
    assert Image.open("a/photos/0.png.cam-gradient.jpg").width > 2 * 224
    assert [row["method"] for row in rows("a/boxes.csv")] == ["cam", "gradient"]
    succeeded(gapnet("predict", "photos", run, "classes=[1]", "figure=class", "folder=b"))
    assert {row["class"] for row in rows("b/boxes.csv")} == {"1"}
    assert Path("b/class.jpg").is_file()


@pytest.mark.parametrize(
    ("arguments", "parts"),
    few(
        [
            (["RUN"], ["images"]),
            (["photos"], ["run=null", "timm/NAME"]),
            (["nothing.jpg", "RUN"], ["nothing.jpg"]),
            (["photos", "RUN", "model=timm/resnet18"], ["run="]),
            (["photos", "RUN", "classes=[cat]"], ["classes=cat"]),
            (["photos", "RUN", "method=camm"], ["method=camm"]),
            (["photos", "RUN", "figure=square"], ["figure=square"]),
            (["photos", "RUN", "format=xml"], ["format=xml"]),
            (["photos", "RUN", "view=square"], ["view=square"]),
            (["photos/bad.png", "RUN"], ["photos/bad.png"]),
            (["photos", "model=torchvision/alexnet"], ["AlexNet", "method=grad_cam"]),
            (["photos", "run=nowhere"], ["nowhere"]),
        ],
        5,
    ),
)
def test_a_wrong_argument_is_named_and_nothing_is_written(
    gapnet: Command, trained: Trained, photos: Path, arguments: list[str], parts: list[str]
) -> None:
    (photos / "bad.png").write_bytes(b"no picture")
    if "photos" in arguments:
        (photos / "bad.png").unlink()
    words = [f"run={trained.run}" if word == "RUN" else word for word in arguments]
    assert_one_line(gapnet("predict", *words), *parts)
    assert not Path("explained").exists()
