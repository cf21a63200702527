from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from gapnet.data.loading.images import Images
from gapnet.data.loading.views import whole_view
from gapnet.data.sources import cub
from gapnet.data.sources.cub import Cub
from gapnet.errors import GapnetError

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
    with pytest.raises(GapnetError, match=r"has 50 x 40 pixels, but a box .* \(59, 11\)"):
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
    with pytest.raises(GapnetError, match=r"data.held_out=0: leaves no split 'val'"):
        Cub(root, held_out=0)
    source = Cub(root, held_out=0, select_split="test")
    assert len(source.records("train")) == 8
    with pytest.raises(GapnetError, match=r"split 'val' has no images .*found are: train, test"):
        source.records("val")


def test_holding_out_a_whole_class_is_an_error(root: Path) -> None:
    with pytest.raises(GapnetError, match=r"data.held_out=4: .*'001.Black_footed_Albatross'"):
        Cub(root, held_out=4)


@pytest.mark.parametrize("held_out", [-1, 0.5, True, "5"])
def test_a_number_held_out_must_be_one(root: Path, held_out: int) -> None:
    with pytest.raises(GapnetError, match=f"data.held_out={str(held_out).lower()}: "):
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
    ("file", "change", "message"),
    [
        ("images.txt", lambda lines: [*lines, lines[0]], "'1' is listed twice"),
        ("images.txt", lambda lines: [*lines, f"99 {name(0)}"], "Bird_0000.jpg' is listed twice"),
        ("images.txt", lambda lines: ["1", *lines[1:]], "the line '1' has no value"),
        ("images.txt", lambda lines: [], "is empty"),
        ("classes.txt", lambda lines: [*lines, f"3 {FOLDERS[0]}"], "is listed twice"),
        (LABELS, lambda lines: lines[1:], r"lacks image 1 \(one of 1\)"),
        (LABELS, lambda lines: [*lines, lines[3]], "'4' is listed twice"),
        (LABELS, lambda lines: ["1 3", *lines[1:]], "image 1 has a class that is not among the 2"),
        (LABELS, lambda lines: ["1 2", *lines[1:]], "image 1 has class 002.*path is 001"),
        (SIDES, lambda lines: lines[:-2], r"lacks image 11 \(one of 2\)"),
        (SIDES, lambda lines: [*lines, "13 1"], "has a line too many, for image 13"),
        (SIDES, lambda lines: ["1 2", *lines[1:]], "image 1 has '2'; must be 1 .* or 0"),
        (BOXES, lambda lines: lines[:-1], "lacks image 12"),
        (BOXES, lambda lines: ["1 1.0 2.0 nan 4.0", *lines[1:]], "image 1: .* finite"),
        (BOXES, lambda lines: ["1 1.0 2.0 3.0", *lines[1:]], "image 1: a box must be four numbers"),
        (BOXES, lambda lines: ["1 1 2 3 4 5", *lines[1:]], "image 1: a box must be four numbers"),
        (BOXES, lambda lines: ["1 1.0 2.0 0.0 4.0", *lines[1:]], "image 1: .*a pixel at least"),
        (BOXES, lambda lines: ["1 -1.0 2.0 3.0 4.0", *lines[1:]], "image 1: .*must start at 0"),
    ],
)
def test_what_is_wrong_in_a_text_file_is_named(root: Path, file: str, change, message: str) -> None:
    edit(root / file, change)
    with pytest.raises(GapnetError, match=rf"{file}: .*{message}") as caught:
        Cub(root, held_out=1)
    assert "\n" not in str(caught.value)


def test_a_split_without_images_is_named(root: Path) -> None:
    edit(root / SIDES, lambda lines: [f"{line.split()[0]} 1" for line in lines])
    with pytest.raises(GapnetError, match=r"split 'test' has no images .*found are: train, val"):
        Cub(root, held_out=1).records("test")


def test_what_a_folder_lacks_is_named(root: Path, tmp_path: Path) -> None:
    (root / LABELS).unlink()
    with pytest.raises(GapnetError, match=rf"is no CUB-200-2011, it lacks {LABELS};"):
        Cub(root)
    with pytest.raises(GapnetError, match=r"data.root=.*nowhere: .*lacks classes.txt and images"):
        Cub(tmp_path / "nowhere")
