"""Images of your own: with a test split only, or none, without boxes, or in VOC's layout."""

import json
import shutil
from pathlib import Path

import pytest

from gapnet.data.sources.ilsvrc import Ilsvrc
from tests.cli.conftest import QUICK, Command, Trained, assert_one_line
from tests.data.object_trees import image, xml_of


@pytest.fixture
def photos(tmp_path: Path, shapes_root: Path) -> Path:
    """Copy the test images of two of the three classes into folders of classes."""
    source = Ilsvrc(shapes_root, test_split="test")
    for record in source.records("test"):
        place = tmp_path / "photos" / source.classes[record.label]
        if record.label < 2:
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(record.path, place)
    return tmp_path / "photos"


@pytest.mark.slow
def test_class_folders_are_evaluated_with_a_trained_run(
    trained: Trained, photos: Path, tmp_path: Path, gapnet: Command
) -> None:
    outcome = gapnet(
        "evaluate",
        f"run={trained.run}",
        "data=folder",
        f"data.root={photos}",
        f"folder={tmp_path / 'out'}",
        "report.images=4",
        "trainer.accelerator=cpu",
    )
    assert outcome.status == 0, outcome.err
    metrics = json.loads((tmp_path / "out/metrics.json").read_text())
    assert {row["metric"] for row in metrics} <= {"top1_error", "top2_error"}
    assert {row["n"] for row in metrics} == {8}
    assert (tmp_path / "out/pictures.jpg").is_file()
    assert '"overlap": null' in (tmp_path / "out/report.html").read_text()


def test_class_folders_are_not_trained_on_unless_asked(photos: Path, gapnet: Command) -> None:
    outcome = gapnet("train", "data=folder", f"data.root={photos}", "trainer.accelerator=cpu")
    assert_one_line(outcome, "split 'train'", "data.train_split=all data.test_split=val")


def test_doctor_says_what_class_folders_lack(photos: Path, gapnet: Command) -> None:
    outcome = gapnet("doctor", "data=folder", f"data.root={photos}", "images=none")
    assert outcome.status == 0, outcome.out
    assert "test: 8 images" in outcome.out
    assert "data.train_split=all" in outcome.out


@pytest.mark.slow
def test_images_in_vocs_layout_are_trained_on_and_localization_is_scored_where_boxes_are(
    tmp_path: Path, shapes_root: Path, gapnet: Command
) -> None:
    source = Ilsvrc(shapes_root, train_boxes=True, test_split="test")
    for split, name in (("train_cls", "train"), ("val", "val")):
        for record in source.records(split):
            image(tmp_path / f"voc/images/{name}/{record.path.stem}.jpg", (48, 48))
            boxes = [] if record.boxes is None or record.label == 2 else record.boxes.tolist()
            class_id, annotation = source.classes[record.label], tmp_path / "voc/annotations" / name
            annotation.mkdir(parents=True, exist_ok=True)
            text = xml_of([(class_id, box) for box in boxes], (48, 48))
            bare = f"<object><name>{class_id}</name></object></annotation>"
            text = text.replace("</annotation>", bare)
            (annotation / f"{record.path.stem}.xml").write_text(text)
    outcome = gapnet(
        "train",
        *("data=voc", f"data.root={tmp_path / 'voc'}", "data.test_split=val"),
        *("model.input_size=48", *QUICK, f"folder={tmp_path / 'run'}"),
    )
    assert outcome.status == 0, outcome.err
    metrics = {
        row["metric"]: row for row in json.loads((tmp_path / "run/metrics.json").read_text())
    }
    assert metrics["top1_error"]["n"] == 12
    assert metrics["gt_known_error"]["n"] == 8


def test_a_layout_that_is_not_there_is_named(tmp_path: Path, gapnet: Command) -> None:
    image(tmp_path / "data/stray/a.jpg")
    outcome = gapnet("doctor", "data=yolo", f"data.root={tmp_path / 'data'}")
    assert outcome.status == 1
    assert f"data.root={tmp_path / 'data'}" in outcome.out
