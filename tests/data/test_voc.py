import logging
from pathlib import Path

import pytest
import torch
from torchvision.datasets import VOCDetection

from gapnet.data.sources.voc import Voc
from tests.data.object_trees import HEIGHT, WIDTH, Objects, image, voc, xml_of
from tests.refusals import refused

TRAIN: Objects = {
    "a.jpg": [("dog", (2, 3, 10, 12)), ("dog", (20, 1, 30, 30))],
    "b.jpg": [("cat", (1, 1, 40, 30))],
    "c.jpg": [("cat", (5, 6, 7, 8)), ("dog", (5, 5, 30, 30)), ("cat", (9, 9, 11, 11))],
}
VAL: Objects = {"d.jpg": [("dog", (4, 5, 6, 7))]}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return voc(tmp_path / "VOCdevkit/VOC2012", train=TRAIN, val=VAL)


def boxes(source: Voc, split: str) -> list[list[list[float]] | None]:
    return [None if row.boxes is None else row.boxes.tolist() for row in source.records(split)]


def test_pascal_vocs_folders_are_read(root: Path) -> None:
    source = Voc(root, test_split="val")
    assert source.classes == ["cat", "dog"]
    assert source.splits == ["train", "val"]
    records = source.records("train")
    assert records.ids == [f"JPEGImages/{name}" for name in TRAIN]
    assert records.labels.tolist() == [1, 0, 1]
    assert all(record.path.is_file() for record in records)
    assert source.sizes("train", records.ids)[records.ids[0]] == (HEIGHT, WIDTH)


def test_boxes_are_those_of_torchvision_counted_from_0(root: Path) -> None:
    theirs = VOCDetection(root.parents[1], "2012", "train")
    for record, (_, annotation) in zip(Voc(root).records("train"), theirs, strict=True):
        own = [
            [int(thing["bndbox"][side]) - 1 for side in ("xmin", "ymin", "xmax", "ymax")]
            for thing in annotation["annotation"]["object"]
            if thing["name"] == ["cat", "dog"][record.label]
        ]
        assert record.boxes is not None
        assert record.boxes.tolist() == own


@pytest.mark.parametrize(
    ("box", "first"),
    [
        ((0, 3, 9, 9), 0),  # only a count from 0 has a 0
        ((1, 1, 40, 9), 1),  # only a count from 1 ends at the width, inside the image
        ((1, 1, 9, 30), 1),
        ((0, 0, 40, 30), 0),  # both: the box ends one pixel beyond
        ((2, 2, 39, 29), 1),  # it does not show: as the format says
    ],
)
def test_the_first_pixel_is_guessed_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, box: tuple[int, ...], first: int
) -> None:
    both: Objects = {"a.jpg": [("dog", box)]}
    root = voc(tmp_path, train=both, val={"b.jpg": [("cat", (3, 3, 5, 5))]})
    caplog.set_level(logging.INFO)
    assert boxes(Voc(root, class_ids=["cat", "dog"]), "train") == [
        [[float(value - first) for value in box]]
    ]
    assert f"data.first_pixel={1 - first}" in caplog.text


def test_the_guess_is_made_from_all_splits(tmp_path: Path) -> None:
    root = voc(tmp_path, train=TRAIN, val={"d.jpg": [("dog", (0, 5, 6, 7))]})
    assert boxes(Voc(root), "train")[1] == [[1, 1, 40, 30]]


@pytest.mark.parametrize("first", [0, 1])
def test_a_first_pixel_that_is_set_is_not_guessed(
    root: Path, caplog: pytest.LogCaptureFixture, first: int
) -> None:
    caplog.set_level(logging.INFO)
    assert boxes(Voc(root, first_pixel=first), "val") == [
        [[4 - first, 5 - first, 6 - first, 7 - first]]
    ]
    assert "first_pixel" not in caplog.text


def test_a_first_pixel_that_the_boxes_contradict_is_refused(tmp_path: Path) -> None:
    root = voc(tmp_path, train={"a.jpg": [("dog", (0, 1, 2, 3))]}, val=VAL)
    with refused("data.first_pixel=1", "JPEGImages/a.jpg", "data.first_pixel=0"):
        Voc(root, first_pixel=1).records("train")
    with refused("data.first_pixel=2"):
        Voc(root, first_pixel=2)


@pytest.mark.parametrize("tree", ["images/train annotations/train", "train train"])
def test_folders_of_splits_are_read(tmp_path: Path, tree: str) -> None:
    images, annotations = (tmp_path / part for part in tree.split())
    for name, objects in TRAIN.items():
        image(images / name)
        annotations.mkdir(parents=True, exist_ok=True)
        (annotations / Path(name).with_suffix(".xml")).write_text(xml_of(objects))
    source = Voc(tmp_path, held_out=0)
    assert source.splits == ["train"]
    assert source.records("train").labels.tolist() == [1, 0, 1]


def undivided(root: Path) -> Path:
    (root / "annotations").mkdir(parents=True)
    for name, objects in TRAIN.items():
        image(root / "images" / name)
        (root / "annotations" / Path(name).with_suffix(".xml")).write_text(xml_of(objects))
    return root


def test_images_without_splits_can_be_evaluated_and_trained_on_only_on_demand(
    tmp_path: Path,
) -> None:
    source = Voc(undivided(tmp_path))
    assert len(source.records("test")) == 3
    with refused("split 'train'", "data.train_split=all", "data.test_split=val"):
        source.records("train")
    trained = Voc(tmp_path, train_split="all", test_split="val", held_out=1, several="first")
    with refused("data.held_out=1", "class 'dog'"):
        trained.records("all")


def test_an_object_may_lack_a_box_and_coordinates_may_have_decimals(root: Path) -> None:
    path = root / "Annotations/d.xml"
    path.write_text("<annotation><object><name>dog</name></object></annotation>")
    assert boxes(Voc(root), "val") == [None]
    path.write_text(xml_of([("dog", (4.5, 5, 6.25, 7))]))
    assert boxes(Voc(root), "val") == [[[3.5, 4, 5.25, 6]]]


def test_an_annotation_that_changes_is_read_again(root: Path) -> None:
    before = boxes(Voc(root), "val")
    (root / "Annotations/d.xml").write_text(xml_of([("dog", (14, 5, 16, 17))]))
    assert boxes(Voc(root), "val") != before


GOOD = xml_of([("dog", (4, 5, 6, 7))])


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (GOOD.replace("</object>", ""), "line 1"),
        ("", "line 1"),
        (GOOD.replace("dog", " "), "name"),
        (GOOD.replace("<xmax>6</xmax>", ""), "bndbox/xmax"),
        (GOOD.replace("<xmax>6</xmax>", "<xmax>x</xmax>"), "'x'"),
        (GOOD.replace("<xmax>6</xmax>", "<xmax>nan</xmax>"), "nan"),
        (GOOD.replace("<xmax>6</xmax>", "<xmax>41</xmax>"), "40 x 30"),
        (GOOD.replace("<xmin>4</xmin>", "<xmin>7</xmin>"), "[7.0, 5.0, 6.0, 7.0]"),
        (GOOD.replace("<xmin>4</xmin>", "<xmin>-1</xmin>"), "[-1.0, 5.0, 6.0, 7.0]"),
        (GOOD.replace("<width>40</width>", "<width>99999999</width>"), "99999999"),
    ],
)
def test_a_malformed_annotation_is_named(root: Path, text: str, part: str) -> None:
    (root / "Annotations/d.xml").write_text(text)
    with refused(root / "Annotations/d.xml", part):
        Voc(root).records("val")


def test_what_is_missing_is_named(root: Path, tmp_path: Path) -> None:
    (root / "Annotations/a.xml").unlink()
    with refused(root / "Annotations/a.xml"):
        Voc(root)
    voc(root, train=TRAIN, val=VAL)
    (root / "JPEGImages/d.jpg").unlink()
    with refused(root / "ImageSets/Main/val.txt", "'d'"):
        Voc(root).records("val")
    with refused(f"data.root={tmp_path}"):
        Voc(tmp_path)
    with refused(f"data.root={tmp_path / 'nowhere'}"):
        Voc(tmp_path / "nowhere")
    with refused("split 'test'", "train, val"):
        Voc(root).records("test")


def test_a_class_that_training_does_not_have_is_named(root: Path) -> None:
    (root / "Annotations/d.xml").write_text(xml_of([("bird", (4, 5, 6, 7))]))
    with refused("JPEGImages/d.jpg", "'bird'"):
        Voc(root).records("val")


def test_two_images_of_one_annotation_are_refused(root: Path) -> None:
    image(root / "JPEGImages/a.png")
    with refused(root / "JPEGImages/a.png", "a.jpg"):
        Voc(root)


def test_boxes_are_float_tensors_of_four(root: Path) -> None:
    record = Voc(root).records("train")[0]
    assert record.boxes is not None
    assert record.boxes.dtype == torch.float32
    assert record.boxes.shape == (2, 4)
