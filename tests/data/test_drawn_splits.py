from pathlib import Path

import pytest
from PIL import Image

from gapnet.data.sources.drawn_splits import DrawnSplits
from tests.refusals import refused

IMAGES = {"accordion": 6, "crab": 9, "BACKGROUND_Google": 3}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder, count in IMAGES.items():
        (tmp_path / folder).mkdir()
        for number in range(count):
            Image.new("RGB", (8, 8)).save(tmp_path / folder / f"image_{number:04d}.jpg")
    return tmp_path


def caltech(root: Path, **changes: object) -> DrawnSplits:
    options = {"train": 2, "test": 5, "ignored": ["BACKGROUND_Google"]}
    return DrawnSplits(root, **{**options, **changes})


def test_so_many_images_of_each_class_are_drawn(root: Path) -> None:
    source = caltech(root)
    assert source.classes == ["accordion", "crab"]
    train, test = source.records("train"), source.records("test")
    assert train.labels.tolist() == [0, 0, 1, 1]
    assert test.labels.tolist() == [0] * 4 + [1] * 5  # of crab 2 are left out
    assert not set(train.ids) & set(test.ids)
    rest = caltech(root, test=None).records("test")
    assert len(rest) == 6 + 9 - 4
    assert set(test.ids) <= set(rest.ids)


def test_a_draw_is_always_the_same_and_another_one_differs(root: Path) -> None:
    first, again, second = (caltech(root, draw=draw).records("train").ids for draw in (0, 0, 1))
    assert first == again != second
    (root / "crab" / "image_9999.jpg").write_bytes(b"")  # another class's draw stays the same
    assert caltech(root).records("train").ids[:2] == first[:2]


def test_what_is_wrong_is_named(root: Path) -> None:
    with refused("data.train=6", "accordion", 6):
        caltech(root, train=6)
    with refused("data.test=0"):
        caltech(root, test=0)
    with refused("split 'val'", "train", "test"):
        caltech(root).records("val")
    with refused(f"data.root={root / 'nowhere'}", "Scene15"):
        DrawnSplits(root / "nowhere", train=1, name="Scene15")
    with refused(f"data.root={root / 'crab'}"):
        DrawnSplits(root / "crab", train=1)
