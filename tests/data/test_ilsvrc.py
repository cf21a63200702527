import shutil
from pathlib import Path

import pytest

from gapnet.data.ilsvrc import Ilsvrc
from gapnet.errors import GapnetError


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
    with pytest.raises(GapnetError, match=r"data.root=.*nowhere: no such folder"):
        Ilsvrc(tmp_path / "nowhere")


def test_another_layout_is_told_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    with pytest.raises(
        GapnetError,
        match=r"Kaggle's ILSVRC tree, which lacks .*LOC_synset_mapping.txt and .*ImageSets",
    ):
        Ilsvrc(tmp_path)


def test_an_unknown_split_gets_the_list(root: Path) -> None:
    with pytest.raises(
        GapnetError, match=r"split 'dev' is not listed .* found are: test, train_cls, val"
    ):
        Ilsvrc(root).records("dev")


def test_an_empty_split_is_an_error(root: Path) -> None:
    (root / "ILSVRC/ImageSets/CLS-LOC/val.txt").write_text("\n")
    with pytest.raises(GapnetError, match=r"val\.txt: is empty"):
        Ilsvrc(root).records("val")


def test_an_unknown_label_in_an_xml_is_named(root: Path) -> None:
    path = next((root / "ILSVRC/Annotations/CLS-LOC/test").iterdir())
    path.write_text(path.read_text().replace("s0000000", "n0000000"))
    with pytest.raises(
        GapnetError, match=rf"{path.name}: class 'n0000000\d' is not among the 3 of"
    ):
        Ilsvrc(root).records("test")


def test_an_unknown_training_folder_is_named(root: Path) -> None:
    listing = root / "ILSVRC/ImageSets/CLS-LOC/train_cls.txt"
    listing.write_text(listing.read_text() + "n99/n99_1 25\n")
    with pytest.raises(GapnetError, match="train_cls: class 'n99' is not among the 3"):
        Ilsvrc(root).records("train_cls")


def test_what_was_drawn_is_never_called_ilsvrc(root: Path) -> None:
    assert Ilsvrc(root).title == "shapes (stand-in data)"


def test_only_a_tree_of_a_thousand_classes_is_called_ilsvrc(root: Path) -> None:
    (root / "shapes.json").unlink()
    assert Ilsvrc(root).title == "tree (ILSVRC's layout)"
    mapping = root / "LOC_synset_mapping.txt"
    mapping.write_text("".join(f"n{index:08d} thing {index}\n" for index in range(1000)))
    assert Ilsvrc(root).title == "ILSVRC"
