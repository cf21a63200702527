import logging
from pathlib import Path

import pytest

from gapnet.data.sources.csv_table import Csv
from tests.data.object_trees import table
from tests.refusals import refused

TEXT = """split,image,label,xmin,ymin,xmax,ymax,colour
train,a.jpg,dog,1,2,10.5,20,red
train,b.jpg,cat,0,0,39,29,red
train,"sub dir/c.jpg", dog ,,,,,red
val,d.jpg,cat,3,4,5,6,red
train,a.jpg,dog,5,5,6,6,red
"""
IMAGES = ("a.jpg", "b.jpg", "sub dir/c.jpg", "d.jpg")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return table(tmp_path, TEXT, *IMAGES)


def boxes(source: Csv, split: str) -> list[list[list[float]] | None]:
    return [None if row.boxes is None else row.boxes.tolist() for row in source.records(split)]


def test_a_table_is_read(root: Path) -> None:
    source = Csv(root)
    assert source.classes == ["cat", "dog"]
    assert source.splits == ["train", "val"]
    assert source.records("train").ids == ["a.jpg", "b.jpg", "sub dir/c.jpg"]
    assert source.records("train").labels.tolist() == [1, 0, 1]
    assert all(record.path.is_file() for record in source.records("train"))
    assert boxes(source, "train") == [[[1, 2, 10.5, 20], [5, 5, 6, 6]], [[0, 0, 39, 29]], None]


def test_a_table_may_count_from_1(root: Path) -> None:
    assert boxes(Csv(root, first_pixel=1), "val") == [[[2, 3, 4, 5]]]
    with refused("data.first_pixel=1", "b.jpg"):
        Csv(root, first_pixel=1).records("train")


def test_a_table_without_splits_and_boxes_can_be_evaluated(tmp_path: Path) -> None:
    source = Csv(table(tmp_path, "image,label\na.jpg,cat\nb.jpg,dog\n", "a.jpg", "b.jpg"))
    assert source.records("test").labels.tolist() == [0, 1]
    assert source.records("test").boxes is None
    with refused("split 'train'", "data.train_split=all"):
        source.records("train")
    with refused("split 'val'"):
        source.records("val")


def test_some_images_are_held_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    lines = [f"{name}{number}.jpg,{name}\n" for name in ("cat", "dog") for number in range(5)]
    source = Csv(
        table(tmp_path, "image,label\n" + "".join(lines)),
        train_split="all",
        held_out=2,
        test_split="val",
    )
    held, trained = source.records("val"), source.records("all")
    assert "4 images are held out" in caplog.text
    assert held.labels.tolist() == [0, 0, 1, 1]
    assert len(trained) == 6
    assert not set(held.ids) & set(trained.ids)


def test_another_table_can_be_named(root: Path) -> None:
    (root / "other.csv").write_text("image,label\na.jpg,bird\n")
    with refused(f"data.root={root}", "labels.csv", "other.csv", "data.table"):
        Csv(root)
    assert Csv(root, table=root / "other.csv").classes == ["bird"]
    with refused(root / "none.csv"):
        Csv(root, table=root / "none.csv")


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("val,d.jpg,cat,3,4,5", "line 7"),
        ("val,d.jpg,cat,3,4,5,x,red", "line 7"),
        ("val,d.jpg,cat,3,4,5,,red", "line 7"),
        ("val,d.jpg,cat,3,4,2,6,red", "[3.0, 4.0, 2.0, 6.0]"),
        ("val,d.jpg,cat,-3,4,5,6,red", "[-3.0, 4.0, 5.0, 6.0]"),
        ("val,d.jpg,cat,nan,4,5,6,red", "line 7"),
        ("val,d.jpg,,3,4,5,6,red", "line 7"),
        ("val,,cat,3,4,5,6,red", "line 7"),
        ("val,../d.jpg,cat,3,4,5,6,red", "'../d.jpg'"),
        ('val,"d.jpg', "line 7"),
    ],
)
def test_a_malformed_line_is_named(root: Path, line: str, part: str) -> None:
    (root / "labels.csv").write_text(f"{TEXT}{line}\n")
    with refused(root / "labels.csv", part):
        Csv(root)


@pytest.mark.parametrize(
    "header", ["", "image", "image,label,xmin", "image,label,label", "a.jpg,cat,1,2,3,4"]
)
def test_a_header_without_the_columns_is_named(root: Path, header: str) -> None:
    (root / "labels.csv").write_text(f"{header}\n")
    with refused(root / "labels.csv", "line 1"):
        Csv(root)


def test_what_is_empty_is_named(root: Path, tmp_path: Path) -> None:
    (root / "labels.csv").write_text("image,label\n")
    with refused(root / "labels.csv"):
        Csv(root)
    (root / "labels.csv").unlink()
    with refused(f"data.root={root}", "none"):
        Csv(root)
