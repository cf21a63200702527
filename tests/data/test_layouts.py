"""The same tiny data set in each layout; other tests borrow its builders."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from gapnet.data.readers.ilsvrc_layouts import find_layout
from gapnet.data.sources.ilsvrc import Ilsvrc
from tests.data.test_devkit import write_devkit
from tests.refusals import refused

CLASSES = {"n01": "tench", "n02": "kit fox, Vulpes macrotis", "n03": "crane"}
IDS = {1: "n02", 2: "n03", 3: "n01"}  # of the devkit: none is its place among the sorted plus one
VALIDATION = {
    "v_0001": ("n03", [[1, 2, 10, 12]]),
    "v_0002": ("n01", [[0, 0, 39, 29], [5, 5, 5, 5]]),
    "v_0003": ("n02", [[3, 4, 30, 20]]),
    "v_0004": ("n03", [[2, 2, 8, 9]]),
}
TRAINING = ["n01/n01_1", "n01/n01_10", "n02/n02_7", "n03/n03_2"]
WIDTH, HEIGHT = 40, 30
Build = Callable[[Path], Path]


def write_image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (WIDTH, HEIGHT), (90, 120, 30)).save(path, format="JPEG")


def write_xml(path: Path, class_id: str, boxes: list[list[int]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    corners = ("xmin", "ymin", "xmax", "ymax")
    objects = [
        "".join(f"<{side}>{value}</{side}>" for side, value in zip(corners, box, strict=True))
        for box in boxes
    ]
    path.write_text(
        f"<annotation><size><width>{WIDTH}</width><height>{HEIGHT}</height></size>"
        + "".join(
            f"<object><name>{class_id}</name><bndbox>{each}</bndbox></object>" for each in objects
        )
        + "</annotation>"
    )


def write_table(path: Path) -> None:
    rows = ["ImageId,PredictionString"]
    for id_, (class_id, boxes) in reversed(VALIDATION.items()):
        text = " ".join(f"{class_id} {' '.join(map(str, box))}" for box in boxes)
        rows.append(f"{id_},{text} ")
    path.write_text("\n".join(rows) + "\n")


def write_annotations(folder: Path) -> None:
    for id_, (class_id, boxes) in VALIDATION.items():
        write_xml(folder / f"{id_}.xml", class_id, boxes)


def kit_labels() -> list[int]:
    numbers = {wnid: id_ for id_, wnid in IDS.items()}
    return [numbers[class_id] for class_id, _ in VALIDATION.values()]


def kaggle(root: Path) -> Path:
    images, sets = root / "ILSVRC/Data/CLS-LOC", root / "ILSVRC/ImageSets/CLS-LOC"
    for name in TRAINING:
        write_image(images / f"train/{name}.JPEG")
    for name in VALIDATION:
        write_image(images / f"val/{name}.JPEG")
    for number in range(2):
        write_image(images / f"test/t_{number}.JPEG")
    sets.mkdir(parents=True)
    (root / "LOC_synset_mapping.txt").write_text("".join(f"{a} {b}\n" for a, b in CLASSES.items()))
    for split, names in (("train_cls", TRAINING), ("val", VALIDATION), ("test", ["t_0", "t_1"])):
        lines = [f"{name} {number}\n" for number, name in enumerate(names, 1)]
        (sets / f"{split}.txt").write_text("".join(lines))
    write_annotations(root / "ILSVRC/Annotations/CLS-LOC/val")
    return root


def torchvision(root: Path) -> Path:
    for name in TRAINING:
        write_image(root / f"train/{name}.JPEG")
    for name, (class_id, _) in VALIDATION.items():
        write_image(root / f"val/{class_id}/{name}.JPEG")
    write_annotations(root / "bbox/val")
    return root


def flat(root: Path) -> Path:
    for name in TRAINING:
        write_image(root / f"train/{name}.JPEG")
    for name in VALIDATION:
        write_image(root / f"val/{name}.JPEG")
    write_devkit(root / "ILSVRC2012_devkit_t12/data", IDS, labels=kit_labels())
    write_annotations(root / "ILSVRC2012_bbox_val_v3/val")
    return root


LAYOUTS = pytest.mark.parametrize("build", [kaggle, torchvision, flat])


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (kaggle, "Kaggle's tree"),
        (torchvision, "torchvision's folders"),
        (flat, "a flat validation folder"),
    ],
)
def test_a_layout_is_named(tmp_path: Path, build: Build, name: str) -> None:
    assert Ilsvrc(build(tmp_path)).layout == name


@pytest.mark.parametrize("split", ["train_cls", "val"])
def test_every_layout_gives_the_same_ids_labels_and_boxes(tmp_path: Path, split: str) -> None:
    read = []
    for build in (kaggle, torchvision, flat):
        source = Ilsvrc(build(tmp_path / build.__name__))
        assert source.classes == ["n01", "n02", "n03"]
        records = source.records(split)
        assert all(record.path.is_file() for record in records)
        read.append(records.table.drop_columns("path"))
    assert read[0].equals(read[1])
    assert read[0].equals(read[2])


@LAYOUTS
def test_labels_and_boxes_are_those_of_the_files(tmp_path: Path, build: Build) -> None:
    records = Ilsvrc(build(tmp_path)).records("val")
    assert records.ids == list(VALIDATION)
    assert records.labels.tolist() == [2, 0, 1, 2]
    assert [each.boxes.tolist() for each in records] == [boxes for _, boxes in VALIDATION.values()]
    training = Ilsvrc(tmp_path).records("train_cls")
    assert training.ids == TRAINING
    assert training.labels.tolist() == [0, 0, 1, 2]
    assert all(each.boxes is None for each in training)


def test_unpacked_archives_are_found_under_their_own_names(tmp_path: Path) -> None:
    flat(tmp_path)
    for split in ("train", "val"):
        (tmp_path / split).rename(tmp_path / f"ILSVRC2012_img_{split}")
    source = Ilsvrc(tmp_path)
    assert next(source.records("val").paths()).is_file()
    assert len(source.records("train")) == 4


def test_a_tree_for_evaluation_alone_is_read(tmp_path: Path) -> None:
    flat(tmp_path)
    for path in (tmp_path / "train").rglob("*.JPEG"):
        path.unlink()
    for path in sorted((tmp_path / "train").rglob("*"), reverse=True):
        path.rmdir()
    (tmp_path / "train").rmdir()
    source = Ilsvrc(tmp_path)
    assert source.records("val").labels.tolist() == [2, 0, 1, 2]
    with refused("split 'train_cls'", "val"):
        source.records("train_cls")


def test_a_part_of_training_that_no_folder_tells_apart_is_refused(tmp_path: Path) -> None:
    with refused("split 'train_loc'"):
        Ilsvrc(torchvision(tmp_path)).records("train_loc")


def test_other_files_among_the_images_are_left_alone(tmp_path: Path) -> None:
    torchvision(tmp_path)
    for name in ("notes.txt", ".n01_3.JPEG", "n01_4.JPEG.part"):
        (tmp_path / "train/n01" / name).touch()
    (tmp_path / "train/.cache").mkdir()
    assert Ilsvrc(tmp_path).records("train").ids == TRAINING


@pytest.mark.parametrize("build", [torchvision, flat])
def test_a_test_folder_has_no_labels(tmp_path: Path, build: Build) -> None:
    build(tmp_path)
    write_image(tmp_path / "test/t_1.JPEG")
    (record,) = Ilsvrc(tmp_path).records("test")
    assert (record.id, record.label, record.boxes) == ("t_1", -1, None)


def half_moved(root: Path) -> None:
    write_image(root / "val/v_0005.JPEG")


def same_name_twice(root: Path) -> None:
    write_image(root / "val/n01/v_0001.JPEG")


def no_classes_in_training(root: Path) -> None:
    for path in sorted((root / "train").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()


def empty_validation(root: Path) -> None:
    for path in (root / "val").rglob("*.JPEG"):
        path.unlink()


@pytest.mark.parametrize(
    ("damage", "split", "parts"),
    [
        (half_moved, "val", ("val", "v_0005.JPEG")),
        (same_name_twice, "val", ("val", "n01/v_0001.JPEG", "n03/v_0001.JPEG")),
        (no_classes_in_training, "train", ("train",)),
        (empty_validation, "val", ("val",)),
    ],
)
def test_folders_that_do_not_add_up_are_named(
    tmp_path: Path, damage: Callable[[Path], None], split: str, parts: tuple[str, ...]
) -> None:
    damage(torchvision(tmp_path))
    with refused(tmp_path / split, *parts):
        Ilsvrc(tmp_path).records(split)


def test_an_error_says_what_each_layout_lacks(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    with refused(
        f"data.root={tmp_path}",
        tmp_path / "LOC_synset_mapping.txt",
        f"{tmp_path / 'train'}/WNID",
        f"{tmp_path / 'val'}/*.JPEG",
    ):
        find_layout(tmp_path)


def test_an_empty_validation_folder_is_no_layout(tmp_path: Path) -> None:
    (tmp_path / "val").mkdir()
    with refused(f"data.root={tmp_path}"):
        Ilsvrc(tmp_path)
