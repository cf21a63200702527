"""The same images in four layouts have the same classes and boxes, and pass `gapnet doctor`."""

from pathlib import Path

import pytest

from gapnet.data.checks.examine import examine
from gapnet.data.object_reader import ObjectReader
from gapnet.data.shards.write import write_shards
from gapnet.data.sources.coco import Coco
from gapnet.data.sources.csv_table import Csv
from gapnet.data.sources.shards import Shards
from gapnet.data.sources.voc import Voc
from gapnet.data.sources.yolo import Yolo
from tests.data.object_trees import HEIGHT, WIDTH, Box, Objects, coco, table, voc, yolo

# Inclusive pixels, from 0
TRAIN: Objects = {
    "a.jpg": [("dog", (0, 2, 9, 11)), ("dog", (19, 0, 29, 29))],
    "b.jpg": [("cat", (0, 0, WIDTH - 1, HEIGHT - 1))],
    "c.jpg": [("cat", (4, 5, 6, 7)), ("dog", (4, 4, 29, 29)), ("cat", (8, 8, 10, 10))],
}
VAL: Objects = {"d.jpg": [("dog", (3, 4, 5, 6))], "e.jpg": [("cat", (3, 4, 5, 6))]}


def converted(images: Objects, kind: str) -> Objects:
    return {
        name: [(label, convert(box, kind)) for label, box in objects]
        for name, objects in images.items()
    }


def convert(box: Box, kind: str) -> Box:
    x1, y1, x2, y2 = box
    width, height = x2 - x1 + 1, y2 - y1 + 1
    if kind == "voc":
        return x1 + 1, y1 + 1, x2 + 1, y2 + 1
    if kind == "coco":
        return x1, y1, width, height
    x, y = x1 + width / 2, y1 + height / 2
    return x / WIDTH, y / HEIGHT, width / WIDTH, height / HEIGHT


def write(kind: str, root: Path) -> ObjectReader:
    splits = {"train": converted(TRAIN, kind), "val": converted(VAL, kind)}
    if kind == "voc":
        return Voc(voc(root, **splits), test_split="val")
    if kind == "coco":
        return Coco(coco(root, **splits), test_split="val")
    if kind == "yolo":
        return Yolo(yolo(root, **splits), test_split="val")
    lines = [
        f"{name},{label},{','.join(map(str, box))},{split}\n"
        for split, images in (("train", TRAIN), ("val", VAL))
        for name, objects in images.items()
        for label, box in objects
    ]
    text = "image,label,xmin,ymin,xmax,ymax,split\n" + "".join(lines)
    return Csv(table(root, text, *TRAIN, *VAL), test_split="val")


KINDS = ("voc", "coco", "yolo", "csv")


@pytest.mark.parametrize("kind", KINDS)
def test_each_layout_has_the_same_classes_and_boxes(tmp_path: Path, kind: str) -> None:
    source = write(kind, tmp_path)
    expected = {"a.jpg": "dog", "b.jpg": "cat", "c.jpg": "dog"}
    for record in source.records("train"):
        label = expected[record.path.name]
        assert source.classes[record.label] == label
        own = [list(box) for name, box in TRAIN[record.path.name] if name == label]
        assert record.boxes is not None
        for box, truth in zip(record.boxes.tolist(), own, strict=True):
            assert box == pytest.approx(truth, abs=1e-4)
    assert sorted(path.name for path in source.records("val").paths()) == ["d.jpg", "e.jpg"]


@pytest.mark.parametrize("kind", KINDS)
def test_each_layout_passes_doctor(tmp_path: Path, kind: str) -> None:
    findings = list(examine(write(kind, tmp_path), images="all", workers=1))
    assert [finding.text for finding in findings if finding.status == "wrong"] == []


@pytest.mark.parametrize("kind", KINDS)
def test_doctor_names_an_image_that_is_missing(tmp_path: Path, kind: str) -> None:
    source = write(kind, tmp_path)
    paths = list(source.records("val").paths())
    paths[0].unlink()
    (wrong,) = (found for found in examine(source, workers=1) if found.status == "wrong")
    assert paths[0].name in wrong.text


@pytest.mark.parametrize("kind", KINDS)
def test_a_layout_can_have_the_classes_of_a_network(tmp_path: Path, kind: str) -> None:
    source = write(kind, tmp_path).with_classes(["ape", "cat", "dog"])
    assert sorted(source.records("val").labels.tolist()) == [1, 2]


def refuse(*_: object) -> None:
    raise AssertionError("is read again")


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_reader_takes_the_cached_annotations(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = write(kind, tmp_path)
    records = first.records("train")
    monkeypatch.setattr(type(first), "read", refuse)
    again = type(first)(tmp_path, test_split="val")
    assert again.records("train") == records
    assert again.classes == first.classes


def test_multi_label_data_can_be_sharded(tmp_path: Path) -> None:
    write("voc", tmp_path / "voc")
    source = Voc(tmp_path / "voc", test_split="val", several="all")
    write_shards(source, tmp_path / "shards", workers=1)
    shards = Shards(tmp_path / "shards")
    assert [row.labels for row in shards.records("train")] == [(1,), (0,), (0, 1)]
    assert shards.records("train").boxes is not None
