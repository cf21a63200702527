import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gapnet.data.loading.datamodule import DataModule
from gapnet.data.loading.views import whole_view
from gapnet.data.record_table import UNKNOWN
from gapnet.data.sources.ilsvrc import Ilsvrc
from tests.data.test_devkit import write_devkit
from tests.data.test_layouts import (
    IDS,
    LAYOUTS,
    VALIDATION,
    Build,
    flat,
    kaggle,
    kit_labels,
    torchvision,
    write_table,
    write_xml,
)
from tests.refusals import refused

TABLE = "LOC_val_solution.csv"
XML = "ILSVRC/Annotations/CLS-LOC"
LABELS = [2, 0, 1, 2]
BOXES = [boxes for _, boxes in VALIDATION.values()]


@pytest.fixture
def root(shapes_root: Path, tmp_path: Path) -> Path:
    """Copy a small tree, to be damaged."""
    return Path(shutil.copytree(shapes_root, tmp_path / "tree"))


def test_classes_are_in_the_order_of_the_mapping(root: Path) -> None:
    mapping = root / "LOC_synset_mapping.txt"
    lines = mapping.read_text().splitlines()
    mapping.write_text("\n".join(reversed(lines)) + "\n")
    source = Ilsvrc(root)
    assert source.classes == ["s00000002", "s00000001", "s00000000"]
    assert [record.label for record in source.records("val")[:3]] == [2, 1, 0]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with refused(f"data.root={tmp_path / 'nowhere'}"):
        Ilsvrc(tmp_path / "nowhere")


def test_another_layout_is_told_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    with refused(f"data.root={tmp_path}", "LOC_synset_mapping.txt", "ImageSets"):
        Ilsvrc(tmp_path)


def test_an_unknown_split_gets_the_list(root: Path) -> None:
    with refused("split 'dev'", "test, train_cls, val"):
        Ilsvrc(root).records("dev")


def test_an_empty_split_is_an_error(root: Path) -> None:
    (root / "ILSVRC/ImageSets/CLS-LOC/val.txt").write_text("\n")
    with refused("val.txt"):
        Ilsvrc(root).records("val")


def test_an_unknown_label_in_an_xml_is_named(root: Path) -> None:
    path = next((root / "ILSVRC/Annotations/CLS-LOC/test").iterdir())
    path.write_text(path.read_text().replace("s0000000", "n0000000"))
    with refused(path.name, "LOC_synset_mapping.txt"):
        Ilsvrc(root).records("test")


def test_an_unknown_training_folder_is_named(root: Path) -> None:
    listing = root / "ILSVRC/ImageSets/CLS-LOC/train_cls.txt"
    listing.write_text(listing.read_text() + "n99/n99_1 25\n")
    with refused("train_cls", "class 'n99'"):
        Ilsvrc(root).records("train_cls")


def test_what_was_drawn_is_never_called_ilsvrc(root: Path) -> None:
    source = Ilsvrc(root)
    assert (source.title, source.kind) == ("shapes (stand-in data)", "stand-in")
    assert source.published_counts == {}


def test_only_a_tree_of_a_thousand_classes_is_called_ilsvrc(root: Path) -> None:
    (root / "shapes.json").unlink()
    part = Ilsvrc(root)
    assert (part.title, part.kind) == ("tree (ILSVRC's layout)", "ilsvrc-layout")
    mapping = root / "LOC_synset_mapping.txt"
    mapping.write_text("".join(f"n{index:08d} thing {index}\n" for index in range(1000)))
    whole = Ilsvrc(root)
    assert (whole.title, whole.kind) == ("ILSVRC", "ilsvrc")
    assert whole.published_counts["val"] == 50_000


def test_the_classes_of_ilsvrc_must_be_sorted(root: Path) -> None:
    lines = [f"n{index:08d} thing {index}\n" for index in range(1000)]
    (root / "LOC_synset_mapping.txt").write_text("".join(reversed(lines)))
    with refused("LOC_synset_mapping.txt", 1000):
        Ilsvrc(root)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Make Kaggle's tree with every kind of ground truth."""
    root = kaggle(tmp_path / "tiny")
    write_table(root / TABLE)
    write_devkit(root / "devkit/data", IDS, labels=kit_labels(), blacklist=[4, 2])
    return root


@pytest.mark.parametrize("kind", ["auto", "xml", "csv", "devkit"])
def test_every_kind_of_ground_truth_says_the_same(tree: Path, kind: str) -> None:
    records = Ilsvrc(tree, truth=kind).records("val")
    assert records.labels.tolist() == LABELS
    assert [record.boxes.tolist() for record in records] == BOXES
    assert records == Ilsvrc(tree).records("val")


@pytest.mark.parametrize(
    ("missing", "place"), [([], f"{XML}/val"), ([XML], TABLE), ([XML, TABLE], "ground_truth.txt")]
)
def test_auto_takes_what_is_there_and_says_which(
    tree: Path, caplog: pytest.LogCaptureFixture, missing: list[str], place: str
) -> None:
    for name in missing:
        shutil.rmtree(tree / name) if (tree / name).is_dir() else (tree / name).unlink()
    with caplog.at_level(logging.INFO, logger="gapnet"):
        assert Ilsvrc(tree).records("val").labels.tolist() == LABELS
    assert f"{tree}: is Kaggle's tree, with 3 classes" in caplog.text
    line = next(line for line in caplog.messages if line.startswith("val: ground truth is from"))
    assert line.endswith(place)


def test_labels_without_boxes_are_for_classification_alone(tmp_path: Path) -> None:
    for build in (flat, torchvision):
        root = build(tmp_path / build.__name__)
        for place in ("bbox", "ILSVRC2012_bbox_val_v3"):
            shutil.rmtree(root / place, ignore_errors=True)
        records = Ilsvrc(root).records("val")
        assert records.labels.tolist() == LABELS
        assert records.boxes is None


def change_table(root: Path) -> None:
    path = root / TABLE
    path.write_text(path.read_text().replace("n02", "n01"))


def change_kit(root: Path) -> None:
    path = root / "devkit/data/ILSVRC2012_validation_ground_truth.txt"
    path.write_text("2\n3\n3\n2\n")


@pytest.mark.parametrize("change", [change_table, change_kit])
def test_ground_truths_that_differ_are_an_error_that_names_the_image(
    tree: Path, change: Callable[[Path], None]
) -> None:
    change(tree)
    with refused("image 'v_0003'", "n02", "n01", "data.truth"):
        Ilsvrc(tree).records("val")
    assert Ilsvrc(tree, truth="xml").records("val").labels.tolist() == LABELS


def test_labels_and_boxes_of_other_images_are_noticed(tree: Path) -> None:
    change_kit(tree)
    with refused("image 'v_0003'", "n01", "n02"):
        Ilsvrc(tree, truth="devkit").records("val")


def test_folders_are_held_against_the_ground_truth(tmp_path: Path) -> None:
    root = torchvision(tmp_path)
    (root / "val/n02/v_0003.JPEG").rename(root / "val/n01/v_0003.JPEG")
    with refused("image 'v_0003'", root / "bbox/val", root / "val"):
        Ilsvrc(root).records("val")


def test_a_split_without_ground_truth_says_what_would_be_one(tmp_path: Path) -> None:
    root = kaggle(tmp_path)
    shutil.rmtree(root / XML)
    with refused("data.truth=auto", "split 'val'", "LOC_val_solution.csv", "meta.mat"):
        Ilsvrc(root).records("val")
    with refused("data.truth=best", "auto, xml, csv"):
        Ilsvrc(root, truth="best")


def test_all_wrong_annotations_are_counted(tree: Path) -> None:
    for name in ("v_0002", "v_0003", "v_0004"):
        (tree / XML / f"val/{name}.xml").unlink()
    with refused("v_0002.xml", 2):
        Ilsvrc(tree).records("val")


def test_the_blacklist_marks_images_by_the_order_of_their_names(tree: Path) -> None:
    listing = tree / "ILSVRC/ImageSets/CLS-LOC/val.txt"
    listing.write_text("".join(reversed(listing.read_text().splitlines(keepends=True))))
    records = Ilsvrc(tree).records("val")
    marked = dict(zip(records.ids, records.blacklisted.tolist(), strict=True))
    assert marked == {"v_0001": False, "v_0002": True, "v_0003": False, "v_0004": True}
    assert not Ilsvrc(tree).records("train_cls").blacklisted.any()


def test_a_blacklist_can_be_named(tree: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("1\n")
    records = Ilsvrc(tree, blacklist=mine).records("val")
    assert records.blacklisted.tolist() == [True, False, False, False]
    with refused(f"data.blacklist={tmp_path / 'nix.txt'}"):
        Ilsvrc(tree, blacklist=tmp_path / "nix.txt")


def test_labels_of_the_kit_follow_the_order_of_the_names(tree: Path) -> None:
    listing = tree / "ILSVRC/ImageSets/CLS-LOC/val.txt"
    listing.write_text("".join(reversed(listing.read_text().splitlines(keepends=True))))
    records = Ilsvrc(tree, truth="devkit").records("val")
    assert records.ids == list(reversed(VALIDATION))
    assert records.labels.tolist() == list(reversed(LABELS))


@LAYOUTS
def test_ids_of_the_kit_are_converted_or_there_are_none(tmp_path: Path, build: Build) -> None:
    source = Ilsvrc(build(tmp_path))
    expected = {1: 1, 2: 2, 3: 0} if build is flat else None
    assert source.devkit_ids() == expected


def test_names_come_from_the_kit_where_there_is_no_mapping(tmp_path: Path) -> None:
    assert Ilsvrc(flat(tmp_path)).class_names == ["words of n01", "words of n02", "words of n03"]


def test_class_folders_and_lists_that_differ_are_named(tmp_path: Path) -> None:
    root = flat(tmp_path)
    shutil.rmtree(root / "train/n02")
    with refused("meta.mat", 3, 2, "'n02'"):
        Ilsvrc(root)


def test_nothing_that_lists_the_classes_is_an_error(tmp_path: Path) -> None:
    root = flat(tmp_path)
    shutil.rmtree(root / "train")
    shutil.rmtree(root / "ILSVRC2012_devkit_t12")
    with refused(f"data.root={root}", "LOC_synset_mapping.txt"):
        Ilsvrc(root)


def test_training_has_boxes_where_asked_for(tree: Path) -> None:
    write_xml(tree / XML / "train/n01/n01_10.xml", "n01", [[1, 2, 99, 9], [70, 2, 80, 9]])
    write_xml(tree / XML / "train/n03/n03_2.xml", "n01", [[1, 2, 3, 4]])
    boxes = [record.boxes for record in Ilsvrc(tree, train_boxes=True).records("train_cls")]
    assert boxes[1] is not None
    assert boxes[1].tolist() == [[1, 2, 40, 9]]
    assert boxes[0] is boxes[2] is boxes[3] is None
    assert Ilsvrc(tree).records("train_cls")[1].boxes is None


def test_training_boxes_come_from_a_table_that_leaves_out_the_folders(tree: Path) -> None:
    path = tree / "LOC_train_solution.csv"
    path.write_text("ImageId,PredictionString\nn01_10,n01 1 2 3 4 n01 5 6 7 8 \n")
    boxes = [record.boxes for record in Ilsvrc(tree, train_boxes=True).records("train_cls")]
    assert boxes[1] is not None
    assert boxes[1].tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert boxes[0] is boxes[2] is None
    path.write_text("ImageId,PredictionString\nn01_10,n02 1 2 3 4\n")
    with refused(path, "image 'n01/n01_10'", "class 'n02'"):
        Ilsvrc(tree, train_boxes=True).records("train_cls")


def test_training_boxes_that_nobody_drew_are_an_error(tree: Path) -> None:
    with refused("data.train_boxes=true", tree):
        Ilsvrc(tree, train_boxes=True).records("train_cls")


def test_the_public_test_split_has_no_labels(tree: Path) -> None:
    records = Ilsvrc(tree).records("test")
    assert records.labels.tolist() == [UNKNOWN, UNKNOWN]
    assert records.boxes is None


def test_a_tree_that_changes_is_read_again(tree: Path) -> None:
    assert Ilsvrc(tree).records("val")[0].boxes.tolist() == BOXES[0]
    write_xml(tree / XML / "val/v_0001.xml", "n03", [[1, 2, 10, 13]])
    assert Ilsvrc(tree).records("val")[0].boxes.tolist() == [[1, 2, 10, 13]]
    (tree / XML / "val/v_0002.xml").unlink()
    with refused("v_0002.xml"):
        Ilsvrc(tree).records("val")


def test_held_out_images_choose_and_are_not_trained_on(root: Path) -> None:
    everything = Ilsvrc(root, test_split="test", train_boxes=True).records("train_cls")
    source = Ilsvrc(root, test_split="test", held_out=3)
    held, trained = source.records("held_out"), source.records("train_cls")
    assert (source.select_split, source.test_split) == ("held_out", "test")
    assert held.labels.bincount().tolist() == [3, 3, 3]
    assert held.boxes is not None
    assert sorted(held.ids + trained.ids) == sorted(everything.ids)
    assert [id_ for id_ in everything.ids if id_ in held.ids] == held.ids
    assert all(record.boxes is None for record in trained)


def test_held_out_images_are_the_same_whatever_else_is_there(root: Path) -> None:
    few, more = (set(Ilsvrc(root, held_out=count).records("held_out").ids) for count in (2, 3))
    assert few < more
    listing = root / "ILSVRC/ImageSets/CLS-LOC/train_cls.txt"
    listing.write_text("".join(reversed(listing.read_text().splitlines(keepends=True))))
    assert set(Ilsvrc(root, held_out=2).records("held_out").ids) == few


def test_only_images_with_boxes_are_held_out(root: Path) -> None:
    first = set(Ilsvrc(root, held_out=3).records("held_out").ids)
    for name in first:
        (root / XML / f"train/{name}.xml").unlink()
    second = Ilsvrc(root, held_out=3).records("held_out")
    assert second.boxes is not None
    assert not first & set(second.ids)


def test_training_keeps_its_boxes_beside_held_out_images(root: Path) -> None:
    source = Ilsvrc(root, held_out=1, train_boxes=True)
    assert source.records("train_cls").boxes is not None
    assert len(source.records("train_cls")) == 24 - 3


def test_too_few_boxes_or_images_to_hold_out_are_an_error(root: Path, tree: Path) -> None:
    with refused("data.held_out=9", 8):
        Ilsvrc(root, held_out=9).records("held_out")
    with refused("data.held_out=8"):
        Ilsvrc(root, held_out=8).records("train_cls")
    with refused("data.held_out=1", tree):
        Ilsvrc(tree, held_out=1).records("held_out")


@pytest.mark.parametrize("held_out", [-1, 0.5, True, None])
def test_a_number_held_out_must_be_an_integer(root: Path, held_out: int) -> None:
    with refused("data.held_out"):
        Ilsvrc(root, held_out=held_out)


def test_two_splits_that_choose_are_an_error(root: Path) -> None:
    with refused("data.held_out=1", "data.select_split=test"):
        Ilsvrc(root, held_out=1, select_split="test")
    assert Ilsvrc(root, held_out=1, select_split="held_out").select_split == "held_out"


def test_validation_during_training_uses_the_held_out_images(root: Path) -> None:
    source = Ilsvrc(root, held_out=2)
    data = DataModule(source, input_size=(32, 32), view=whole_view, batch_size=4, num_workers=0)
    seen = [id_ for batch in data.val_dataloader() for id_ in batch.ids]
    assert seen == source.records("held_out").ids
