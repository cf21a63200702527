from pathlib import Path

import pytest
from PIL import Image

from gapnet.data.held_out import hold_out
from gapnet.data.loading.images import Images
from gapnet.data.loading.views import whole_view
from gapnet.data.readers.box_files import SIDES
from gapnet.data.record_table import UNKNOWN
from gapnet.data.sources.folder import Folder
from tests.refusals import refused

HEADER = ",".join(["image", *SIDES])


def add(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 6)).save(root / name, format="PNG")
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make two classes, with ten training images, one to choose on and one to test."""
    root = tmp_path / "pets"
    add(root, *(f"train/{name}/{index}.jpg" for name in ("dog", "cat") for index in range(10)))
    add(root, *(f"{split}/{name}/0.jpg" for split in ("val", "test") for name in ("dog", "cat")))
    return root


def ids(source: Folder, split: str) -> list[str]:
    return [record.id for record in source.records(split)]


def test_classes_are_the_sorted_folders_of_the_training_split(root: Path) -> None:
    source = Folder(root)
    assert source.classes == source.class_names == ["cat", "dog"]
    assert source.title == "pets"
    assert ids(source, "val") == ["val/cat/0.jpg", "val/dog/0.jpg"]
    assert [record.label for record in source.records("val")] == [0, 1]
    assert all(record.path == root / record.id for record in source.records("train"))
    assert len(source.records("train")) == 20
    assert all(record.boxes is None for record in source.records("test"))


def test_without_a_training_split_classes_are_those_of_the_test_split(tmp_path: Path) -> None:
    source = Folder(add(tmp_path, "test/b/0.png", "test/a/0.png"))
    assert source.classes == ["a", "b"]
    assert [record.label for record in source.records("test")] == [0, 1]


@pytest.mark.parametrize(
    "name",
    ["a.jpg", "a.jpeg", "a.JPEG", "a.png", "a.PNG", "a.webp", "a.bmp", "a.tif", "a.tiff", "a.ppm"],
)
def test_images_are_known_by_their_suffix(root: Path, name: str) -> None:
    add(root, f"test/cat/{name}")
    assert f"test/cat/{name}" in ids(Folder(root), "test")


def test_hidden_files_and_other_files_are_no_images(root: Path) -> None:
    add(root, "test/cat/._0.jpg", "test/cat/Thumbs.db", "test/.ipynb_checkpoints/0.jpg")
    assert ids(Folder(root), "test") == ["test/cat/0.jpg", "test/dog/0.jpg"]


def test_images_without_class_folders_have_an_unknown_label(root: Path) -> None:
    source = Folder(add(root, "new/b.jpg", "new/a.jpg"), test_split="new")
    assert [(record.id, record.label) for record in source.records("new")] == [
        ("new/a.jpg", UNKNOWN),
        ("new/b.jpg", UNKNOWN),
    ]


def test_a_flat_root_may_be_the_test_split_itself(tmp_path: Path) -> None:
    add(tmp_path, "a.jpg")
    (tmp_path / "classes.txt").write_text("n2 dog\nn1 tabby cat\nn3\n")
    source = Folder(tmp_path, test_split=".")
    assert ids(source, ".") == ["a.jpg"]
    assert source.classes == ["n1", "n2", "n3"]
    assert source.class_names == ["tabby cat", "dog", "n3"]


def test_a_class_file_may_name_more_classes_than_there_are_folders(root: Path) -> None:
    (root / "classes.txt").write_text("dog a dog\ncat a cat\nbird\n")
    source = Folder(root)
    assert source.classes == ["bird", "cat", "dog"]
    assert source.class_names == ["bird", "a cat", "a dog"]
    assert [record.label for record in source.records("val")] == [1, 2]


@pytest.mark.parametrize(("held_out", "count"), [(0.1, 1), (0.25, 2), (3, 3), (0.01, 1)])
def test_a_share_or_a_number_of_each_class_is_held_out(
    root: Path, held_out: float, count: int
) -> None:
    source = Folder(root, select_split="choose", held_out=held_out)
    held, trained = source.records("choose"), source.records("train")
    assert [record.label for record in held] == [0] * count + [1] * count
    assert len(trained) == 20 - 2 * count
    assert not set(held.ids) & set(trained.ids)
    assert set(held.ids) | set(trained.ids) == set(ids(Folder(root), "train"))


def test_what_is_held_out_does_not_depend_on_other_classes(root: Path) -> None:
    before = set(ids(Folder(root, select_split="choose", held_out=3), "choose"))
    add(root, *(f"train/ape/{index}.jpg" for index in range(9)))
    assert before < set(ids(Folder(root, select_split="choose", held_out=3), "choose"))


def test_what_is_held_out_stays_the_same() -> None:
    images = [(f"train/cat/{index}.jpg", 0) for index in range(10)]
    chosen = {"train/cat/1.jpg", "train/cat/9.jpg"}
    assert hold_out(images, 2, classes=["cat"]) == chosen
    assert hold_out(images[::-1], 0.2, classes=["cat"]) == chosen
    assert hold_out(images, 0, classes=["cat"]) == set()


def test_nothing_is_held_out_where_the_split_has_a_folder_or_is_the_test_split(root: Path) -> None:
    assert len(Folder(root, held_out=5).records("train")) == 20
    assert len(Folder(root, select_split="test", held_out=5).records("train")) == 20


def test_holding_out_a_whole_class_is_an_error(root: Path) -> None:
    source = Folder(add(root, "train/ape/0.jpg"), select_split="choose")
    with refused("data.held_out=0.1", "class 'ape'"):
        source.records("train")


@pytest.mark.parametrize("held_out", [-1, 1.5, float("nan"), float("inf"), True, "5"])
def test_a_share_out_of_range_is_refused(root: Path, held_out: float) -> None:
    with refused(f"data.held_out={str(held_out).lower()}"):
        Folder(root, held_out=held_out)


def undivided(root: Path) -> Path:
    return add(root, *(f"{name}/{number}.jpg" for name in ("cat", "dog") for number in range(5)))


def test_class_folders_without_splits_are_the_test_split(tmp_path: Path) -> None:
    source = Folder(undivided(tmp_path))
    assert source.classes == ["cat", "dog"]
    assert ids(source, "test") == ids(source, "all")
    assert len(source.records("test")) == 10


def test_class_folders_without_splits_are_not_trained_on_by_accident(tmp_path: Path) -> None:
    source = Folder(undivided(tmp_path))
    for split in ("train", "val"):
        with refused(f"split '{split}'", "data.train_split=all", "data.test_split=val"):
            source.records(split)


def test_class_folders_without_splits_are_trained_on_on_demand(tmp_path: Path) -> None:
    source = Folder(undivided(tmp_path), train_split="all", test_split="val", held_out=2)
    held, trained = source.records("val"), source.records("all")
    assert (len(held), len(trained)) == (4, 6)
    assert not set(held.ids) & set(trained.ids)
    with refused("split 'test'"):
        source.records("test")


def test_folders_of_splits_with_other_names_are_no_classes(root: Path) -> None:
    source = Folder(root, train_split="train", select_split="dev", test_split="check", held_out=0)
    with refused("split 'check'", "test, train, val"):
        source.records("check")


def test_a_test_split_can_have_the_classes_of_a_network(tmp_path: Path) -> None:
    source = Folder(undivided(tmp_path)).with_classes(["ape", "cat", "dog"])
    assert source.classes == source.class_names == ["ape", "cat", "dog"]
    assert source.records("test").labels.unique().tolist() == [1, 2]
    with refused(tmp_path / "dog"):
        Folder(tmp_path, class_ids=["cat"]).records("test")


@pytest.mark.parametrize("wrong", ["cat", ["cat", "cat"], []])
def test_class_ids_must_be_a_list_of_different_ids(root: Path, wrong: object) -> None:
    with refused("data.class_ids"):
        Folder(root, class_ids=wrong)  # type: ignore[arg-type]


def test_an_unknown_split_gets_the_list(root: Path) -> None:
    with refused("split 'dev'", "test, train, val"):
        Folder(root).records("dev")


def test_without_held_out_images_the_split_must_have_a_folder(root: Path) -> None:
    with refused("split 'choose'", root):
        Folder(root, select_split="choose", held_out=0).records("choose")


def spoil(root: Path, how: str) -> None:
    if how == "mixed":
        add(root, "test/stray.jpg")
    elif how == "deeper":
        add(root, "test/cat/more/1.jpg")
    elif how == "empty class":
        (root / "test/cat/0.jpg").unlink()
    elif how == "empty split":
        for name in ("cat", "dog"):
            (root / f"test/{name}/0.jpg").unlink()
            (root / f"test/{name}").rmdir()
    else:
        add(root, "test/bird/0.jpg")


@pytest.mark.parametrize(
    ("how", "part"),
    [
        ("mixed", "test"),
        ("deeper", "test/cat/more"),
        ("empty class", "test/cat"),
        ("empty split", "test"),
        ("other class", "test/bird"),
    ],
)
def test_what_is_wrong_in_a_split_is_named(root: Path, how: str, part: str) -> None:
    spoil(root, how)
    with refused(root / part):
        Folder(root).records("test")


def test_a_training_split_needs_class_folders(root: Path) -> None:
    add(root, "flat/a.jpg")
    (root / "classes.txt").write_text("cat\ndog\n")
    with refused(root / "flat"):
        Folder(root, train_split="flat").records("flat")


def test_a_root_without_classes_or_without_anything_is_named(tmp_path: Path) -> None:
    with refused(f"data.root={tmp_path}", "'train'"):
        Folder(add(tmp_path, "test/a.jpg"))
    with refused(f"data.root={tmp_path / 'nowhere'}"):
        Folder(tmp_path / "nowhere")


def test_a_class_listed_twice_is_an_error(root: Path) -> None:
    (root / "classes.txt").write_text("cat\ndog\ncat tom\n")
    with refused("classes.txt", 1):
        Folder(root)


def with_boxes(root: Path, *names: str, box: str = "0,0,7,5") -> Folder:
    table = root / "boxes.csv"
    table.write_text("\n".join([HEADER, *(f"{name},{box}" for name in names)]))
    return Folder(root, boxes=table)


def test_a_split_with_boxes_has_them_and_one_without_has_none(root: Path) -> None:
    source = with_boxes(root, "test/cat/0.jpg", "test/dog/0.jpg", "test/dog/0.jpg")
    boxes = source.records("test").boxes
    assert boxes is not None
    assert boxes.counts.tolist() == [1, 2]
    assert boxes.xyxy.tolist() == [[0, 0, 7, 5]] * 3
    assert source.records("val").boxes is None
    assert source.records("train").boxes is None


def test_an_image_without_a_box_in_a_class_with_boxes_is_named(root: Path) -> None:
    source = with_boxes(add(root, "test/cat/1.jpg"), "test/cat/0.jpg")
    with refused("boxes.csv", "test/cat/1.jpg", "split 'test'"):
        source.records("test")


def test_boxes_may_count_from_1(root: Path) -> None:
    with_boxes(root, "test/cat/0.jpg", box="1,2,8,6")
    (box, _) = Folder(root, boxes=root / "boxes.csv", first_pixel=1).records("test")
    assert box.boxes is not None
    assert box.boxes.tolist() == [[0, 1, 7, 5]]
    with_boxes(root, "test/cat/0.jpg")
    with refused("data.first_pixel=1", "test/cat/0.jpg"):
        Folder(root, boxes=root / "boxes.csv", first_pixel=1).records("test")
    with refused("data.first_pixel=2"):
        Folder(root, first_pixel=2)


def test_a_class_without_boxes_does_not_forbid_those_of_others(root: Path) -> None:
    records = with_boxes(root, "test/cat/0.jpg").records("test")
    assert records.boxed.tolist() == [True, False]
    assert records.boxes is not None
    assert records.boxes.counts.tolist() == [1, 0]


def test_only_the_held_out_images_need_boxes(root: Path) -> None:
    held = ids(Folder(root, select_split="choose", held_out=2), "choose")
    with_boxes(root, *held)
    source = Folder(root, select_split="choose", held_out=2, boxes=root / "boxes.csv")
    boxes = source.records("choose").boxes
    assert boxes is not None
    assert len(boxes.xyxy) == 4
    assert source.records("train").boxes is None


def test_boxes_of_images_whose_class_nobody_tells_are_taken_whatever_their_label(
    root: Path,
) -> None:
    add(root, "new/a.jpg")
    (root / "boxes.csv").write_text(f"{HEADER},label\nnew/a.jpg,0,1,2,3,bird\n")
    source = Folder(root, boxes=root / "boxes.csv", test_split="new")
    boxes = source.records("new").boxes
    assert boxes is not None
    assert boxes.xyxy.tolist() == [[0, 1, 2, 3]]


def test_boxes_beyond_the_image_are_found_when_it_is_read(root: Path) -> None:
    source = with_boxes(root, "test/cat/0.jpg", "test/dog/0.jpg", box="0,0,9,5")
    with refused("test/cat/0.jpg", "8 x 6", "(9, 5)"):
        Images(source.records("test"), whole_view((8, 8)), source.reading)[0]


def test_photographs_are_turned_when_asked(root: Path) -> None:
    assert Folder(root, exif=True).reading.exif
    assert not Folder(root).reading.exif
