from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from gapnet.data.loading.images import Images
from gapnet.data.loading.views import whole_view
from gapnet.data.sources import cub
from gapnet.data.sources.cub import Cub
from tests.refusals import refused

FOLDERS = ["001.Black_footed_Albatross", "002.Laysan_Albatross"]
TEST_EACH, TRAIN_EACH = 2, 4
LABELS, SIDES, BOXES = "image_class_labels.txt", "train_test_split.txt", "bounding_boxes.txt"


def name(row: int) -> str:
    return f"{FOLDERS[row % 2]}/Bird_{row:04d}.jpg"


def edit(path: Path, change: Callable[[list[str]], list[str]]) -> None:
    path.write_text("".join(f"{line}\n" for line in change(path.read_text().splitlines())))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Write twelve images of two birds; the first four are tested."""
    root = tmp_path / "CUB_200_2011"
    rows = range(2 * (TEST_EACH + TRAIN_EACH))
    root.mkdir()
    for row in rows:
        (root / "images" / name(row)).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (50, 40)).save(root / "images" / name(row))
    lines = {
        "classes.txt": [f"{index + 1} {folder}" for index, folder in enumerate(FOLDERS)],
        "images.txt": [f"{row + 1} {name(row)}" for row in rows],
        LABELS: [f"{row + 1} {row % 2 + 1}" for row in rows],
        SIDES: [f"{row + 1} {int(row >= 2 * TEST_EACH)}" for row in rows],
        BOXES: [f"{row + 1} {row}.0 2.0 20.0 10.0" for row in rows],
    }
    for file, content in lines.items():
        (root / file).write_text("".join(f"{line}\n" for line in content))
    return root


def test_ids_labels_and_names_are_as_in_the_text_files(root: Path) -> None:
    source = Cub(root, held_out=1)
    records = source.records("test")
    assert source.classes == FOLDERS
    assert source.class_names == ["Black footed Albatross", "Laysan Albatross"]
    assert records.ids == [name(row) for row in range(4)]
    assert records.labels.tolist() == [0, 1, 0, 1]
    assert all(path.is_file() for path in records.paths())


def test_a_box_ends_a_pixel_before_its_edge(root: Path) -> None:
    """Image 272 of CUB, of 500 x 375 pixels, has 0 0 500 375: the whole image."""
    edit(root / BOXES, lambda lines: ["1 0.0 0.0 50.0 40.0", "2 60.5 27.0 325.0 304.0", *lines[2:]])
    first, second, *_ = Cub(root, held_out=1).records("test")
    assert first.boxes is not None
    assert second.boxes is not None
    assert first.boxes.tolist() == [[0, 0, 49, 39]]
    assert second.boxes.tolist() == [[60.5, 27, 384.5, 330]]


def test_a_box_beyond_its_image_is_found_when_the_image_is_read(root: Path) -> None:
    edit(root / BOXES, lambda lines: ["1 40.0 2.0 20.0 10.0", *lines[1:]])
    source = Cub(root, held_out=1)
    with refused("50 x 40", "(59, 11)"):
        Images(source.records("test"), whole_view((8, 8)), source.reading)[0]


@pytest.mark.parametrize("count", [1, 3])
def test_so_many_training_images_of_each_class_are_held_out(root: Path, count: int) -> None:
    source = Cub(root, held_out=count)
    held, trained = source.records("val"), source.records("train")
    assert sorted(held.labels.tolist()) == [0] * count + [1] * count
    assert len(trained) == 2 * (TRAIN_EACH - count)
    assert set(held.ids) | set(trained.ids) == {name(row) for row in range(4, 12)}
    assert held.ids == sorted(held.ids, key=lambda each: each[-8:])


def test_what_is_held_out_stays_the_same(root: Path) -> None:
    held = [name(row) for row in (4, 5)]
    assert Cub(root, held_out=1).records("val").ids == held
    for file in ("images.txt", LABELS, SIDES, BOXES):
        edit(root / file, lambda lines: lines[::-1])
    assert Cub(root, held_out=1).records("val").ids == held[::-1]


def test_nothing_held_out_leaves_no_split_to_choose_on(root: Path) -> None:
    with refused("data.held_out=0", "'val'"):
        Cub(root, held_out=0)
    source = Cub(root, held_out=0, select_split="test")
    assert len(source.records("train")) == 8
    with refused("split 'val'", "train, test"):
        source.records("val")


def test_holding_out_a_whole_class_is_an_error(root: Path) -> None:
    with refused("data.held_out=4", "001.Black_footed_Albatross"):
        Cub(root, held_out=4)


@pytest.mark.parametrize("held_out", [-1, 0.5, True, "5"])
def test_a_number_held_out_must_be_one(root: Path, held_out: int) -> None:
    with refused(f"data.held_out={str(held_out).lower()}"):
        Cub(root, held_out=held_out)


def test_only_the_full_data_set_is_called_by_its_name(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = Cub(root, held_out=1)
    assert (part.title, part.kind) == ("CUB_200_2011 (CUB's layout)", "cub-layout")
    assert part.published_counts == {}
    monkeypatch.setattr(cub, "IMAGES", 12)
    monkeypatch.setattr(cub, "CLASSES", 2)
    source = Cub(root, held_out=1)
    assert (source.title, source.kind) == ("CUB-200-2011", "cub")
    assert source.published_counts == {"train": 5992, "val": 2, "test": 5794}


@pytest.mark.parametrize(
    ("file", "change", "parts"),
    [
        ("images.txt", lambda lines: [*lines, lines[0]], ("'1'",)),
        ("images.txt", lambda lines: [*lines, f"99 {name(0)}"], ("Bird_0000.jpg",)),
        ("images.txt", lambda lines: ["1", *lines[1:]], ("'1'",)),
        ("images.txt", lambda lines: [], ()),
        ("classes.txt", lambda lines: [*lines, f"3 {FOLDERS[0]}"], (FOLDERS[0],)),
        (LABELS, lambda lines: lines[1:], ("image 1", "one of 1")),
        (LABELS, lambda lines: [*lines, lines[3]], ("'4'",)),
        (LABELS, lambda lines: ["1 3", *lines[1:]], ("image 1", "classes.txt")),
        (LABELS, lambda lines: ["1 2", *lines[1:]], ("image 1", *FOLDERS)),
        (SIDES, lambda lines: lines[:-2], ("image 11", "one of 2")),
        (SIDES, lambda lines: [*lines, "13 1"], ("image 13",)),
        (SIDES, lambda lines: ["1 2", *lines[1:]], ("image 1", "'2'")),
        (BOXES, lambda lines: lines[:-1], ("image 12",)),
        (BOXES, lambda lines: ["1 1.0 2.0 nan 4.0", *lines[1:]], ("image 1", "nan")),
        (BOXES, lambda lines: ["1 1.0 2.0 3.0", *lines[1:]], ("image 1", ["1.0", "2.0", "3.0"])),
        (BOXES, lambda lines: ["1 1 2 3 4 5", *lines[1:]], ("image 1", list("12345"))),
        (BOXES, lambda lines: ["1 1 2 0 4", *lines[1:]], ("image 1", [1.0, 2.0, 0.0, 4.0])),
        (
            BOXES,
            lambda lines: ["1 -1.0 2.0 3.0 4.0", *lines[1:]],
            ("image 1", [-1.0, 2.0, 3.0, 4.0]),
        ),
    ],
)
def test_what_is_wrong_in_a_text_file_is_named(root: Path, file: str, change, parts: tuple) -> None:
    edit(root / file, change)
    with refused(file, *parts):
        Cub(root, held_out=1)


def test_a_split_without_images_is_named(root: Path) -> None:
    edit(root / SIDES, lambda lines: [f"{line.split()[0]} 1" for line in lines])
    with refused("split 'test'", "train, val"):
        Cub(root, held_out=1).records("test")


def test_what_a_folder_lacks_is_named(root: Path, tmp_path: Path) -> None:
    (root / LABELS).unlink()
    with refused(f"data.root={root}", LABELS):
        Cub(root)
    with refused(f"data.root={tmp_path / 'nowhere'}", "classes.txt", "images.txt"):
        Cub(tmp_path / "nowhere")
