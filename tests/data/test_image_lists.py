from pathlib import Path

import pytest
from PIL import Image

from gapnet.data.sources.image_lists import ImageLists
from tests.refusals import refused


def write(root: Path, folder: str, lists: dict[str, list[str]]) -> Path:
    for name, paths in lists.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("".join(f"{path}\n" for path in paths))
        for path in paths:
            image = root / folder / path.lstrip("/")
            image.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (8, 8)).save(image)
    return root


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    """Write two partitions in the layout of SUN397."""
    lists = {
        "Training_01.txt": ["/a/abbey/sun_1.jpg", "/b/barn/outdoor/sun_2.jpg"],
        "Testing_01.txt": ["/b/barn/outdoor/sun_3.jpg"],
        "Training_02.txt": ["/a/abbey/sun_1.jpg", "/b/barn/outdoor/sun_3.jpg"],
        "Testing_02.txt": ["/a/abbey/sun_4.jpg"],
    }
    return write(tmp_path, ".", lists)


def sun397(root: Path, **changes: object) -> ImageLists:
    lists = {"train_list": "Training_{partition:02}.txt", "test_list": "Testing_{partition:02}.txt"}
    return ImageLists(root, **{**lists, **changes})


def test_a_partition_has_the_images_of_its_lists(scenes: Path) -> None:
    source = sun397(scenes)
    assert source.classes == ["a/abbey", "b/barn/outdoor"]
    assert source.class_names == ["abbey", "barn outdoor"]
    train, test = source.records("train"), source.records("test")
    assert train.ids == ["a/abbey/sun_1.jpg", "b/barn/outdoor/sun_2.jpg"]
    assert (train.labels.tolist(), test.labels.tolist()) == ([0, 1], [1])
    assert all(path.is_file() for path in train.paths())
    assert sun397(scenes, partition=2).records("test").ids == ["a/abbey/sun_4.jpg"]


def test_the_class_may_be_in_the_name(tmp_path: Path) -> None:
    lists = {
        "ImageSplits/train.txt": ["applauding_001.jpg", "cutting_trees_012.jpg"],
        "ImageSplits/test.txt": ["cutting_trees_013.jpg"],
    }
    root = write(tmp_path, "JPEGImages", lists)
    train, test = lists
    options = {"images": "JPEGImages", "class_in": "name"}
    source = ImageLists(root, train_list=train, test_list=test, **options)
    assert source.classes == ["applauding", "cutting_trees"]
    assert source.records("test").labels.tolist() == [1]
    assert source.records("test")[0].path.is_file()


def test_what_is_wrong_is_named(scenes: Path, tmp_path: Path) -> None:
    with refused(f"data.root={tmp_path / 'nowhere'}", "SUN397"):
        sun397(tmp_path / "nowhere", name="SUN397")
    with refused(f"data.root={scenes}", "Training_03.txt"):
        sun397(scenes, partition=3)
    with refused("data.class_in=x", "folder", "name"):
        sun397(scenes, class_in="x")
    with refused("split 'val'", "train", "test"):
        sun397(scenes).records("val")
    (scenes / "Testing_01.txt").write_text("/c/cave/sun_9.jpg\n")
    with refused(scenes / "Testing_01.txt", "c/cave"):
        sun397(scenes).records("test")
    (scenes / "Testing_01.txt").write_text("../../secret.jpg\n")
    with refused(scenes / "Testing_01.txt", "../../secret.jpg"):
        sun397(scenes).records("test")
