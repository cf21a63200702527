import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gapnet.data.sources.coco import Coco
from tests.data.object_trees import HEIGHT, WIDTH, Objects, coco, coco_of, image
from tests.refusals import refused

TRAIN: Objects = {
    "a.jpg": [("dog", (1.5, 2, 10.25, 20))],
    "b.jpg": [("cat", (0, 0, 40, 30)), ("dog", (3, 4, 5, 6)), ("cat", (1, 1, 2, 2))],
    "deep/c.jpg": [("cat", (30, 20, 10.004, 10.004))],
}
VAL: Objects = {"d.jpg": [("cat", (1, 2, 3, 4))]}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return coco(tmp_path, train=TRAIN, val=VAL)


def change(root: Path, edit: Callable[[dict[str, Any]], object]) -> Path:
    path = root / "annotations/instances_val.json"
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))
    return path


def test_cocos_folders_are_read(root: Path) -> None:
    source = Coco(root, test_split="val")
    assert source.classes == ["dog", "cat"]  # in the order of their numbers
    assert source.splits == ["train", "val"]
    records = source.records("train")
    assert records.ids == [f"train/{name}" for name in TRAIN]
    assert records.labels.tolist() == [0, 1, 1]
    assert source.sizes("train", ["train/a.jpg"]) == {"train/a.jpg": (HEIGHT, WIDTH)}


def test_boxes_are_those_of_pycocotools(root: Path) -> None:
    tool = pytest.importorskip("pycocotools.coco")
    theirs = tool.COCO(root / "annotations/instances_train.json")
    for record in Coco(root).records("train"):
        (number,) = (
            row["id"] for row in theirs.imgs.values() if f"train/{row['file_name']}" == record.id
        )
        ids = theirs.getAnnIds(imgIds=number, catIds=[7 + record.label], iscrowd=False)
        assert record.boxes is not None
        for box, own in zip(theirs.loadAnns(ids), record.boxes.tolist(), strict=True):
            x, y, width, height = box["bbox"]
            right, bottom = min(x + width, WIDTH), min(y + height, HEIGHT)
            assert own == pytest.approx([x, y, right - 1, bottom - 1])


def test_crowds_are_left_out_and_images_without_objects_too(root: Path) -> None:
    change(root, lambda content: content["annotations"][0].update(iscrowd=1))
    with refused("split 'val'", 1):
        Coco(root).records("val")


def test_a_box_of_less_than_a_pixel_leaves_its_class(root: Path) -> None:
    change(root, lambda content: content["annotations"][0].update(bbox=[1, 2, 0.5, 0]))
    (record,) = Coco(root).records("val")
    assert (record.label, record.boxes) == (1, None)


@pytest.mark.parametrize("place", ["images/val/d.jpg", "images/d.jpg", "d.jpg"])
def test_images_may_be_in_other_folders(root: Path, place: str) -> None:
    (root / "val/d.jpg").unlink()
    image(root / place)
    assert Coco(root).records("val").ids == [place]


def test_a_file_may_lie_beside_its_images(tmp_path: Path) -> None:
    for name in TRAIN:
        image(tmp_path / "train" / name)
    (tmp_path / "train/_annotations.coco.json").write_text(json.dumps(coco_of(TRAIN)))
    source = Coco(tmp_path, held_out=0)
    assert source.splits == ["train"]
    assert source.records("train").labels.tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("edit", "part"),
    [
        (lambda content: content.pop("images"), "images"),
        (lambda content: content.update(images=7), "TypeError"),
        (lambda content: content["images"].append(content["images"][0]), "id 0"),
        (lambda content: content["images"].clear(), "image_id=0"),
        (lambda content: content["images"][0].update(file_name="../d.jpg"), "'../d.jpg'"),
        (lambda content: content["images"][0].update(file_name="/d.jpg"), "'/d.jpg'"),
        (lambda content: content["images"][0].update(file_name="x.jpg"), "'x.jpg'"),
        (lambda content: content["images"][0].update(width="x"), "'x'"),
        (lambda content: content["categories"][0].update(name="cat"), "name"),
        (lambda content: content["annotations"][0].update(category_id=9), "category_id=9"),
        (lambda content: content["annotations"][0].update(image_id=9), "image_id=9"),
        (lambda content: content["annotations"][0].update(bbox=[1, 2, 3]), "annotation 0"),
        (lambda content: content["annotations"][0].update(bbox=[1, 2, "x", 4]), "annotation 0"),
        (lambda content: content["annotations"][0].update(bbox=[1, 2, 1e9, 4]), "annotation 0"),
        (lambda content: content["annotations"][0].update(bbox=[1, 2, -3, 4]), "annotation 0"),
        (lambda content: content["annotations"][0].update(bbox=[41, 2, 3, 4]), "annotation 0"),
        (lambda content: content["annotations"][0].update(bbox=None), "annotation 0"),
        (lambda content: content["annotations"][0].update(bbox=[True, 2, 3, 4]), "annotation 0"),
    ],
)
def test_a_malformed_file_is_named(
    root: Path, edit: Callable[[dict[str, Any]], object], part: str
) -> None:
    path = change(root, edit)
    with refused(path, part):
        Coco(root).records("val")


def test_what_is_no_json_is_named_with_its_line(root: Path) -> None:
    path = root / "annotations/instances_val.json"
    path.write_text('{"images": [\n}')
    with refused(path, "line 2"):
        Coco(root).records("val")
    path.write_text('{"a":' * 100_000)
    with refused(path):
        Coco(root).records("val")


def test_what_is_missing_is_named(root: Path, tmp_path: Path) -> None:
    with refused("split 'test'", "train, val"):
        Coco(root).records("test")
    (tmp_path / "empty").mkdir()
    with refused(f"data.root={tmp_path / 'empty'}"):
        Coco(tmp_path / "empty")


def test_a_category_that_training_does_not_have_is_named(root: Path) -> None:
    change(root, lambda content: content["categories"][1].update(name="bird"))
    with refused("val/d.jpg", "'bird'"):
        Coco(root).records("val")
