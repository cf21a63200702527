from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gapnet.data.sources.yolo import Yolo
from tests.data.object_trees import HEIGHT, WIDTH, Objects, image, yolo
from tests.refusals import refused

TRAIN: Objects = {
    "a.jpg": [("dog", (0.5, 0.5, 0.25, 0.4)), ("dog", (0.1, 0.2, 0.2, 0.3))],
    "b.jpg": [("cat", (0.5, 0.5, 1, 1)), ("dog", (0.3, 0.3, 0.1, 0.1))],
    "c.jpg": [("cat", (0.95, 0.5, 0.2, 0.5))],  # reaches beyond the right edge
}
VAL: Objects = {"d.jpg": [("cat", (0.5, 0.5, 0.5, 0.5))], "e.jpg": []}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return yolo(tmp_path, train=TRAIN, val=VAL)


def test_yolos_folders_are_read(root: Path) -> None:
    source = Yolo(root, test_split="val")
    assert source.classes == ["dog", "cat"]
    assert source.splits == ["train", "val"]
    records = source.records("train")
    assert records.ids == [f"images/train/{name}" for name in TRAIN]
    assert records.labels.tolist() == [0, 1, 1]


def test_boxes_are_those_of_numpy(root: Path) -> None:
    for record in Yolo(root).records("train"):
        drawn = np.loadtxt(root / f"labels/train/{Path(record.id).stem}.txt", ndmin=2)
        centre, side = drawn[drawn[:, 0] == record.label, 1:].reshape(-1, 2, 2).swapaxes(0, 1)
        size = np.array([WIDTH, HEIGHT])
        edges = np.concatenate([centre - side / 2, centre + side / 2], 1).clip(0, 1)
        expected = edges * np.tile(size, 2) - [0, 0, 1, 1]
        assert record.boxes is not None
        np.testing.assert_allclose(record.boxes.numpy(), expected, atol=1e-5)


def test_images_without_labels_are_left_out(root: Path) -> None:
    image(root / "images/val/f.jpg")
    assert Yolo(root).records("val").ids == ["images/val/d.jpg"]


def test_a_polygon_has_its_box(root: Path) -> None:
    (root / "labels/val/d.txt").write_text("1 0.25 0.5 0.5 0.2 0.75 0.9\n")
    (record,) = Yolo(root).records("val")
    assert record.boxes is not None
    assert record.boxes[0].tolist() == pytest.approx([10, 6, 29, 26])


def test_boxes_are_of_photographs_as_their_exif_turns_them(root: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (WIDTH, HEIGHT)).save(root / "images/val/d.jpg", exif=exif)
    (turned,) = Yolo(root).records("val")
    (stored,) = Yolo(root, exif=False).records("val")
    assert turned.boxes is not None
    assert stored.boxes is not None
    assert turned.boxes.tolist() == [[7.5, 10, 21.5, 29]]
    assert stored.boxes.tolist() == [[10, 7.5, 29, 21.5]]


@pytest.mark.parametrize(("images", "labels"), [("val/images", "val/labels"), ("images", "labels")])
def test_other_trees_are_read(tmp_path: Path, images: str, labels: str) -> None:
    image(tmp_path / images / "a.jpg")
    (tmp_path / labels).mkdir(parents=True)
    (tmp_path / labels / "a.txt").write_text("1 0.5 0.5 0.5 0.5\n")
    (tmp_path / "classes.txt").write_text("dog\ntraffic light\n")
    source = Yolo(tmp_path, test_split="val")
    assert source.classes == ["dog", "traffic light"]
    assert source.records("val").labels.tolist() == [1]


@pytest.mark.parametrize(
    "text",
    [
        "names: [dog, cat]",
        "names:\n- dog\n- cat\n",
        "nc: 2\nnames: {1: cat, 0: dog}",
        "names: ['dog', cat]",
    ],
)
def test_names_are_a_list_or_numbered(root: Path, text: str) -> None:
    (root / "data.yaml").write_text(text)
    assert Yolo(root).classes == ["dog", "cat"]


@pytest.mark.parametrize(
    "text",
    [
        "names: [dog, no]",
        "names: [1, 2]",
        "names: [dog, dog]",
        "names: {1: dog, 2: cat}",
        "names: []",
        "names: dog",
        "nc: 2",
        "names: [",
        "[" * 500,
        "a: !!python/object/apply:os.system [ls]",
    ],
)
def test_names_that_cannot_be_read_are_named(root: Path, text: str) -> None:
    (root / "data.yaml").write_text(text)
    with refused(root / "data.yaml"):
        Yolo(root)


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("2 0.5 0.5 0.5 0.5", "'2'"),
        ("-1 0.5 0.5 0.5 0.5", "'-1'"),
        ("dog 0.5 0.5 0.5 0.5", "'dog'"),
        ("1.0 0.5 0.5 0.5 0.5", "'1.0'"),
        ("1 0.5 0.5 0.5", 4),
        ("1 0.5 0.5 0.5 0.5 0.9", 6),
        ("1", 1),
        ("1 0.5 x 0.5 0.5", "x"),
        ("1 0.5 nan 0.5 0.5", "nan"),
        ("1 0.5 1.5 0.5 0.5", "1.5"),
        ("1 20 15 20 15", "20"),
    ],
)
def test_a_malformed_line_is_named(root: Path, line: str, part: object) -> None:
    path = root / "labels/val/d.txt"
    path.write_text(f"1 0.5 0.5 0.5 0.5\n\n{line}\n")
    with refused(path, "line 3", part):
        Yolo(root).records("val")


def test_an_image_that_cannot_be_read_is_named_or_skipped(root: Path) -> None:
    (root / "images/val/d.jpg").write_bytes(b"no image")
    with refused(root / "images/val/d.jpg"):
        Yolo(root).records("val")
    (record,) = Yolo(root, on_corrupt="skip").records("val")
    assert record.boxes is None


def test_what_is_missing_is_named(root: Path) -> None:
    for path in (root / "labels/val").iterdir():
        path.unlink()
    with refused(root / "labels/val"):
        Yolo(root).records("val")
    with refused("split 'test'", "train, val"):
        Yolo(root).records("test")
    (root / "data.yaml").unlink()
    with refused(f"data.root={root}", "data.yaml"):
        Yolo(root)
    (root / "one.yaml").touch()
    (root / "two.yaml").touch()
    with refused(f"data.root={root}", "one.yaml", "two.yaml"):
        Yolo(root)
    with refused(f"data.root={root / 'labels'}"):
        Yolo(root / "labels")
