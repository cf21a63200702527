import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image

from gapnet.data.checks import image_checks as looks
from gapnet.data.checks.examine import Finding, examine, from_error
from gapnet.data.options import Reading
from gapnet.data.records import Record, Records
from gapnet.data.sources.ilsvrc import Ilsvrc
from gapnet.errors import GapnetError
from tests.data.test_devkit import write_devkit
from tests.data.test_layouts import IDS, LAYOUTS, Build, kaggle, kit_labels, write_image, write_xml
from tests.refusals import refused

IMAGES = "ILSVRC/Data/CLS-LOC"


def check(root: Path, **options: object) -> list[Finding]:
    return list(examine(Ilsvrc(root, test_split="test"), **options))


def texts(findings: list[Finding], status: str) -> list[str]:
    return [each.text for each in findings if each.status == status]


@LAYOUTS
def test_nothing_is_wrong_with_a_sound_tree(tmp_path: Path, build: Build) -> None:
    source = Ilsvrc(build(tmp_path))
    findings = list(examine(source, images="all"))
    assert texts(findings, "wrong") == []
    assert [note.split()[0].rstrip(":") for note in texts(findings, "note")] == ["val"]
    well = texts(findings, "ok")
    assert f"{tmp_path.name} (ILSVRC's layout): {tmp_path}, {source.layout}" in well
    assert any(text.startswith("val: 4 images, 1 to 2 ") for text in well)
    assert any(text.startswith("val: 5 boxes, 1 image ") for text in well)
    assert "train_cls: all 4 files are there, and every pixel can be read" in well
    assert "train_cls and val share no image" in well


def test_the_stand_in_is_sound(shapes_root: Path) -> None:
    assert texts(check(shapes_root), "wrong") == []


def test_a_tree_with_a_devkit_says_so(tmp_path: Path) -> None:
    kaggle(tmp_path)
    write_devkit(tmp_path / "devkit/data", IDS, labels=kit_labels(), blacklist=[2])
    well = texts(check(tmp_path), "ok")
    assert "devkit: its IDs 1 to 3 are converted to class indices" in well
    assert "val: 1 images are on the devkit's blacklist" in well


def test_images_without_labels_are_a_note(tmp_path: Path) -> None:
    notes = texts(check(kaggle(tmp_path)), "note")
    assert any(note.startswith("test: 2 images") for note in notes)
    assert any(note.startswith("test: has no boxes") for note in notes)


def missing(root: Path) -> None:
    (root / IMAGES / "val/v_0003.JPEG").unlink()


def empty(root: Path) -> None:
    (root / IMAGES / "val/v_0002.JPEG").write_bytes(b"")


def another_image(root: Path) -> None:
    Image.new("RGB", (20, 60)).save(root / IMAGES / "val/v_0003.JPEG")


def no_annotation(root: Path) -> None:
    (root / "ILSVRC/Annotations/CLS-LOC/val/v_0001.xml").unlink()


def listed_twice(root: Path) -> None:
    with (root / "ILSVRC/ImageSets/CLS-LOC/train_cls.txt").open("a") as file:
        file.write("n01/n01_1 5\n")


def empty_class(root: Path) -> None:
    with (root / "LOC_synset_mapping.txt").open("a") as file:
        file.write("n04 goose\n")


def in_two_splits(root: Path) -> None:
    (root / "ILSVRC/ImageSets/CLS-LOC/test.txt").write_text("v_0001 1\nt_1 2\n")
    write_image(root / IMAGES / "test/v_0001.JPEG")


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (missing, "^val: 1 .*/v_0003.JPEG$"),
        (empty, "^val: 1 .*/v_0002.JPEG$"),
        (another_image, "^val: 1 .*/v_0003.JPEG$"),
        (no_annotation, r"^val: .*v_0001\.xml"),
        (listed_twice, "^train_cls: 1 .*: n01/n01_1$"),
        (empty_class, "^train_cls: 1 .*: n04$"),
        (in_two_splits, "^val and test .*: v_0001$"),
    ],
)
def test_what_is_wrong_is_told_with_what_to_do(
    tmp_path: Path, damage: Callable[[Path], None], text: str
) -> None:
    damage(kaggle(tmp_path))
    wrong = [each for each in check(tmp_path) if each.status == "wrong"]
    assert len(wrong) == 1
    assert re.search(text, wrong[0].text), wrong
    assert wrong[0].fix


def test_only_decoding_tells_that_a_file_ends_early(tmp_path: Path) -> None:
    path = kaggle(tmp_path) / IMAGES / "val/v_0002.JPEG"
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:-9000])
    assert texts(check(tmp_path), "wrong") == []
    assert len(texts(check(tmp_path, images="all"), "wrong")) == 1


def test_none_looks_only_whether_files_are_there(tmp_path: Path) -> None:
    empty(kaggle(tmp_path))
    assert texts(check(tmp_path, images="none"), "wrong") == []
    missing(tmp_path)
    assert len(texts(check(tmp_path, images="none"), "wrong")) == 1


@pytest.mark.slow
def test_processes_find_what_one_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    another_image(kaggle(tmp_path))
    empty(tmp_path)
    alone = check(tmp_path, workers=1)
    monkeypatch.setattr(looks, "LOT", 1)
    monkeypatch.setattr(looks, "MANY", 2)
    assert check(tmp_path, workers=2) == alone


def test_a_split_that_cannot_be_read_does_not_stop_the_others(tmp_path: Path) -> None:
    (kaggle(tmp_path) / "ILSVRC/ImageSets/CLS-LOC/train_cls.txt").unlink()
    findings = check(tmp_path, splits=["train_cls"])
    assert texts(findings, "wrong") == [
        f"train_cls: split 'train_cls' is not listed in {tmp_path}/ILSVRC/ImageSets/CLS-LOC"
    ]
    assert any(text.startswith("val: 4 images, 1 to 2 ") for text in texts(findings, "ok"))


class Other:
    """A source of another kind, with masks, that turns photographs."""

    title, kind, classes, class_names = "photographs", "own", ["a"], ["a"]
    published_counts: ClassVar[dict[str, int]] = {}
    train_split = select_split = test_split = "all"
    reading = Reading(exif=True)

    def __init__(self, root: Path, record: Record) -> None:
        self.root, self.record = root, record

    def records(self, split: str) -> Records:
        return Records.of([self.record], self.root)


@pytest.mark.parametrize(("orientation", "wrong"), [(1, 1), (6, 0)])
def test_boxes_refer_to_the_photograph_as_it_is_turned(
    tmp_path: Path, orientation: int, wrong: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (40, 30)).save(tmp_path / "a.jpg", exif=exif)
    record = Record("a", tmp_path / "a.jpg", 0, torch.tensor([[0.0, 0, 29, 39]]))
    for depth in ("headers", "all"):
        findings = list(examine(Other(tmp_path, record), images=depth))
        assert len(texts(findings, "wrong")) == wrong, depth


def test_a_mask_that_is_missing_is_named(tmp_path: Path) -> None:
    write_image(tmp_path / "a.jpg")
    record = Record("a", tmp_path / "a.jpg", 0, None, (tmp_path / "a.png",), tmp_path / "i.png")
    (wrong,) = texts(list(examine(Other(tmp_path, record))), "wrong")
    assert wrong == "all: 2 files are listed but missing: a.png, i.png"


def test_labels_and_classes_that_do_not_fit_are_wrong(tmp_path: Path) -> None:
    write_image(tmp_path / "a.jpg")
    source = Other(tmp_path, Record("a", tmp_path / "a.jpg", 2, None))
    source.classes = ["a", "a"]
    assert texts(list(examine(source)), "wrong") == [
        "classes: 2, from a to a; some are listed twice",
        "all: has labels beyond its 2 classes",
    ]


def thousand(root: Path) -> Ilsvrc:
    """Make a tree that is called ILSVRC."""
    kaggle(root)
    shutil.rmtree(root / "ILSVRC/Annotations/CLS-LOC/val")
    names = ["n01", "n02", "n03", *(f"n{number:08d}" for number in range(1000, 1997))]
    text = "".join(f"{name} thing\n" for name in sorted(names))
    (root / "LOC_synset_mapping.txt").write_text(text)
    (root / "LOC_val_solution.csv").write_text(
        "ImageId,PredictionString\n"
        + "".join(f"v_000{number},n01 0 0 9 9\n" for number in range(1, 5))
    )
    return Ilsvrc(root)


def test_ilsvrc_is_held_against_its_known_numbers(tmp_path: Path) -> None:
    findings = list(examine(thousand(tmp_path)))
    wrong, notes = texts(findings, "wrong"), texts(findings, "note")
    assert any("ILSVRC's are sorted, from n01440764 to n15075141" in each for each in wrong)
    assert "train_cls: 4 images, and ILSVRC has 1,281,167" in wrong
    assert "val: 4 images, and ILSVRC has 50,000" in wrong
    assert any("val: 4 boxes, 0 images" in each and "80,477 and 11,715" in each for each in wrong)
    assert any(each.startswith("devkit: not there") for each in notes)
    assert any(each.startswith("val: no blacklist") and "1,762" in each for each in notes)
    assert all(each.fix for each in findings if each.status == "wrong")


def test_images_that_were_held_out_count_as_images_of_training(tmp_path: Path) -> None:
    thousand(tmp_path)
    counts = Ilsvrc(tmp_path, held_out=50).published_counts
    assert counts["train_cls"] + counts["held_out"] == 1_281_167
    assert counts["held_out"] == 50_000


def test_the_doctor_looks_at_held_out_images_and_names_no_oracle(tmp_path: Path) -> None:
    for name in ("n01/n01_1", "n02/n02_7", "n03/n03_2"):
        write_xml(
            tmp_path / f"ILSVRC/Annotations/CLS-LOC/train/{name}.xml", name[:3], [[1, 2, 3, 4]]
        )
    root = kaggle(tmp_path)
    for name in ("n02/n02_8", "n03/n03_3"):
        write_image(root / f"ILSVRC/Data/CLS-LOC/train/{name}.JPEG")
    with (root / "ILSVRC/ImageSets/CLS-LOC/train_cls.txt").open("a") as listing:
        listing.write("n02/n02_8 5\nn03/n03_3 6\n")
    findings = list(examine(Ilsvrc(root, held_out=1)))
    assert texts(findings, "wrong") == []
    assert any(text.startswith("held_out: 3 images, 1 ") for text in texts(findings, "ok"))
    assert "train_cls and held_out share no image" in texts(findings, "ok")
    assert not any("oracle" in finding.text for finding in findings)


def test_a_devkit_of_other_numbers_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = thousand(tmp_path)
    monkeypatch.setattr(Ilsvrc, "devkit_ids", lambda _: {id_: id_ for id_ in range(1, 1001)})
    (wrong,) = (each for each in texts(list(examine(source)), "wrong") if "devkit" in each)
    assert wrong.endswith(
        "are ILSVRC's classes [65, 970, 230, 809, 516], here [490, 361, 171, 822, 297]"
    )


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"images": "some"}, "images=some"),
        ({"workers": 0}, "workers=0"),
    ],
)
def test_a_wrong_argument_is_named(tmp_path: Path, options: dict, part: str) -> None:
    with refused(part):
        check(kaggle(tmp_path), **options)


def test_an_error_is_cut_into_what_is_wrong_and_what_to_do() -> None:
    assert from_error("val", GapnetError("a: b; c; do d")) == ("wrong", "val: a: b; c", "do d")
    assert from_error("val", GapnetError("a: b")).text == "val: a: b"


def test_a_part_of_ilsvrc_is_noted(tmp_path: Path) -> None:
    source = Ilsvrc(kaggle(tmp_path))
    vars(source)["classes"] = [f"n{index:08d}" for index in range(len(source.classes))]
    notes = texts(list(examine(source, images="none")), "note")
    assert any("WordNet ids, but not the 1,000 of ILSVRC" in each for each in notes)
