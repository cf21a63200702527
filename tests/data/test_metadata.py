from pathlib import Path

import pytest
from PIL import Image

from gapnet.data.loading.images import Images
from gapnet.data.loading.views import whole_view
from gapnet.data.readers.image_sizes import sizes_of
from gapnet.data.sources.metadata import Metadata
from tests.refusals import refused

IDS = ["val2/0/a.jpeg", "val2/1/b.jpeg", "val2/2/c.jpeg"]
LABELS = [f"{each},{label}" for label, each in enumerate(IDS)]
BOXES = [f"{IDS[0]},1,2,3,4", f"{IDS[1]},0,0,7,5", f"{IDS[0]},5,5,5,5", f"{IDS[2]},0,1,2,3"]
MASKS = [f"{IDS[0]},m/a1.png,m/a_ignore.png", f"{IDS[0]},m/a2.png,", f"{IDS[1]},m/b.png,m/b_i.png"]


def write(folder: Path, **files: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in files.items():
        (folder / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Make three images of 8 x 6 pixels, which all three splits list."""
    for each in IDS:
        (tmp_path / "images" / each).parent.mkdir(parents=True)
        Image.new("RGB", (8, 6)).save(tmp_path / "images" / each)
    for split in ("train", "val", "test"):
        write(tmp_path / "metadata/Birds" / split, image_ids=IDS, class_labels=LABELS)
    write(tmp_path / "metadata/Birds/val", localization=BOXES)
    return tmp_path


def read(place: Path, **changes: object) -> Metadata:
    return Metadata(place / "images", metadata=place / "metadata/Birds", **changes)


def test_images_and_labels_are_in_the_order_of_the_listing(place: Path) -> None:
    write(place / "metadata/Birds/test", image_ids=IDS[::-1])
    source = read(place)
    records = source.records("test")
    assert records.ids == IDS[::-1]
    assert records.labels.tolist() == [2, 1, 0]
    assert all(path.is_file() for path in records.paths())
    assert source.title == "Birds (wsolevaluation's metadata)"
    assert source.classes == source.class_names == ["0", "1", "2"]


def test_a_split_without_localization_has_neither_boxes_nor_masks(place: Path) -> None:
    records = read(place).records("test")
    assert records.boxes is None
    assert all(record.masks == () and record.ignore is None for record in records)


def test_an_image_may_have_several_boxes(place: Path) -> None:
    first, second, third = read(place).records("val")
    assert first.boxes is not None
    assert second.boxes is not None
    assert third.boxes is not None
    assert first.boxes.tolist() == [[1, 2, 3, 4], [5, 5, 5, 5]]
    assert second.boxes.tolist() == [[0, 0, 7, 5]]
    assert third.boxes.tolist() == [[0, 1, 2, 3]]


def test_boxes_beyond_the_image_are_found_when_it_is_read(place: Path) -> None:
    write(place / "metadata/Birds/val", localization=[f"{id_},0,0,9,5" for id_ in IDS])
    with refused("8 x 6", "(9, 5)"):
        Images(read(place).records("val"), whole_view((8, 8)))[0]


def test_an_image_may_have_several_masks_and_one_of_ignored_pixels(place: Path) -> None:
    write(place / "metadata/Birds/val", localization=[*MASKS, f"{IDS[2]},m/c.png,"])
    first, second, third = read(place).records("val")
    images = place / "images"
    assert first.masks == (images / "m/a1.png", images / "m/a2.png")
    assert first.ignore == images / "m/a_ignore.png"
    assert (second.masks, second.ignore) == ((images / "m/b.png",), images / "m/b_i.png")
    assert (third.masks, third.ignore) == ((images / "m/c.png",), None)
    assert first.boxes is None


def test_masks_may_lie_elsewhere(place: Path) -> None:
    write(place / "metadata/Birds/val", localization=[*MASKS, f"{IDS[2]},m/c.png,"])
    (place / "masks").mkdir()
    assert read(place, masks=place / "masks").records("val")[0].masks[0] == place / "masks/m/a1.png"


def test_classes_may_have_ids_and_names(place: Path) -> None:
    write(place / "metadata/Birds", classes=["n2 a goose", "n1 a duck", "n3", "n4 none of it"])
    source = read(place)
    assert source.classes == ["n2", "n1", "n3", "n4"]
    assert source.class_names == ["a goose", "a duck", "n3", "none of it"]
    assert source.records("test").labels.tolist() == [0, 1, 2]


def test_without_a_training_split_classes_are_counted_in_the_test_split(place: Path) -> None:
    assert read(place, train_split="absent").classes == ["0", "1", "2"]


def test_a_proxy_is_trained_on_when_asked(place: Path) -> None:
    write(place / "metadata/Birds/train", image_ids_proxy=IDS[1:], localization=BOXES)
    source = read(place, proxy=True)
    assert source.records("train").ids == IDS[1:]
    assert source.records("val").ids == IDS
    assert read(place).records("train").ids == IDS


def test_a_proxy_that_is_not_there_is_named(place: Path) -> None:
    with refused("image_ids_proxy.txt"):
        read(place, proxy=True).records("train")


@pytest.mark.parametrize(
    ("file", "lines", "part"),
    [
        ("image_ids", [*IDS, IDS[0]], 1),
        ("image_ids", [], "image_ids.txt"),
        ("class_labels", LABELS[1:], IDS[0]),
        ("class_labels", [*LABELS, "x.jpeg,1"], "x.jpeg"),
        ("class_labels", [*LABELS, LABELS[0]], IDS[0]),
        ("class_labels", [*LABELS[1:], f"{IDS[0]},3"], f"{IDS[0]} has label 3"),
        ("class_labels", [*LABELS[1:], f"{IDS[0]},-1"], f"'{IDS[0]},-1'"),
        ("class_labels", [*LABELS[1:], f"{IDS[0]},cat"], f"'{IDS[0]},cat'"),
        ("class_labels", [*LABELS[1:], f"{IDS[0]},{'9' * 5000}"], IDS[0]),
        ("class_labels", [*LABELS[1:], IDS[0]], f"'{IDS[0]}'"),
        ("localization", BOXES[1:3], IDS[2]),
        ("localization", [*BOXES, "x.jpeg,1,2,3,4"], "x.jpeg"),
        ("localization", [*BOXES, f"{IDS[0]},1,2,3"], f"'{IDS[0]},1,2,3'"),
        ("localization", [*BOXES, f"{IDS[0]},a.png,"], f"'{IDS[0]},a.png,'"),
        ("localization", [f"{id_},1" for id_ in IDS], f"'{IDS[0]},1'"),
        ("localization", [*BOXES, f"{IDS[0]},3,2,1,4"], [3.0, 2.0, 1.0, 4.0]),
        ("localization", [*BOXES, f"{IDS[0]},3,2,nan,4"], ["3", "2", "nan", "4"]),
        ("localization", [*BOXES, f"{IDS[0]},3,2,x,4"], ["3", "2", "x", "4"]),
        ("localization", [], "localization.txt"),
        ("localization", [f"{id_},,i.png" for id_ in IDS], f"image {IDS[0]}"),
        ("localization", [f"{id_},m.png,i.png" for id_ in [*IDS, IDS[0]]], f"image {IDS[0]}"),
    ],
)
def test_what_is_wrong_in_a_text_file_is_named(
    place: Path, file: str, lines: list[str], part: object
) -> None:
    write(place / "metadata/Birds/val", **{file: lines})
    with refused(f"{file}.txt", part):
        read(place).records("val")


@pytest.mark.parametrize("labels", [[1, 2, 3], [0, 1, 3]])
def test_labels_that_do_not_count_from_0_are_refused(place: Path, labels: list[int]) -> None:
    lines = [f"{id_},{label}" for id_, label in zip(IDS, labels, strict=True)]
    write(place / "metadata/Birds/train", class_labels=lines)
    with refused("class_labels.txt", next(label for label in range(3) if label not in labels)):
        read(place)


def test_an_unknown_split_gets_the_list(place: Path) -> None:
    with refused("split 'dev'", "test, train, val"):
        read(place).records("dev")


@pytest.mark.parametrize("name", ["root", "metadata", "masks"])
def test_a_missing_folder_is_named(place: Path, name: str) -> None:
    folders = {"root": place / "images", "metadata": place / "metadata/Birds", "masks": None}
    with refused(f"data.{name}={place / 'nowhere'}"):
        Metadata(**{**folders, name: place / "nowhere"})


def test_sizes_are_those_of_image_sizes_where_it_lists_them(place: Path) -> None:
    write(place / "metadata/Birds/val", image_sizes=[f"{IDS[0]},30,20", "other.jpg,1,1"])
    (place / "images" / IDS[0]).unlink()
    source = read(place)
    sizes = sizes_of(source, "val", source.records("val"))
    assert sizes.tolist() == [[20, 30], [6, 8], [6, 8]]


@pytest.mark.parametrize(
    "line", ["30,20", "a.jpeg,30", "a.jpeg,0,20", "a.jpeg,x,20", "a.jpeg,-1,2"]
)
def test_a_size_that_makes_no_sense_is_named(place: Path, line: str) -> None:
    write(place / "metadata/Birds/val", image_sizes=[line])
    with refused("image_sizes.txt", f"'{line}'"):
        read(place).sizes("val", IDS)
