"""Readers of scenes with masks of objects: ADE20K in both layouts, and folders."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from gapnet.data.object_masks import check_masks
from gapnet.data.sources.ade import Ade
from gapnet.data.sources.ade_scenes import AdeScenes
from gapnet.data.sources.masked_scenes import MaskedScenes
from tests.refusals import refused

LAMP, TABLE, LEG = 300, 1500, 7  # numbers of object classes


def colours(numbers: list[list[int]], instances: list[list[int]]) -> Image.Image:
    """Code class numbers as ADE20K does: R / 10 * 256 + G, and the object in B."""
    values = np.array(numbers)
    code = np.stack([values // 256 * 10, values % 256, np.array(instances)], 2)
    return Image.fromarray(code.astype(np.uint8))


def write_ade(root: Path) -> Path:
    for split, scene, number in [
        ("training", "b/bathroom", 1),
        ("training", "b/bathroom", 2),
        ("validation", "b/bathroom", 3),
        ("training", "a/airport/counter", 4),
        ("validation", "a/airport/counter", 5),
        ("training", "y/yard", 6),
    ]:
        folder = root / "images" / split / scene
        folder.mkdir(parents=True, exist_ok=True)
        name = f"ADE_{number:08d}"
        Image.new("RGB", (3, 2)).save(folder / f"{name}.jpg")
        objects = colours([[LAMP, TABLE, 0], [TABLE, TABLE, 0]], [[40, 90, 0], [90, 90, 0]])
        objects.save(folder / f"{name}_seg.png")
        colours([[0, LEG, 0], [0, 0, 0]], [[0, 50, 0], [0, 0, 0]]).save(
            folder / f"{name}_parts_1.png"
        )
        (folder / f"{name}_atr.txt").write_text(
            '001 # 0 # 0 # lamp # lamp # ""\n002 # 0 # 1 # table # desk # ""\n'
            '001 # 1 # 0 # leg # leg # ""\n'
        )
    return root


def test_scenes_of_ade_are_folders_below_the_letter(tmp_path: Path) -> None:
    source = Ade(write_ade(tmp_path))
    assert source.classes == ["airport/counter", "bathroom"]
    assert source.class_names == ["airport counter", "bathroom"]
    ids = [*source.records("train").ids, *source.records("test").ids]
    assert len(ids) == len(set(ids)) == 5
    assert {"images/validation/b/bathroom/ADE_00000003.jpg"} <= set(ids)
    assert set(source.records("test").labels.tolist()) == {0, 1}


@pytest.mark.parametrize("parts", [False, True])
def test_objects_of_ade_have_the_names_of_the_index(tmp_path: Path, *, parts: bool) -> None:
    names = np.array([f"name {number}" for number in range(1, TABLE + 1)], dtype=object)
    savemat(tmp_path / "index_ade20k.mat", {"index": {"objectnames": names}})
    source = Ade(write_ade(tmp_path), parts=parts)
    masks = source.object_masks(source.records("test")[0])
    assert masks.layers[0].tolist() == [[LAMP, TABLE, 0], [TABLE, TABLE, 0]]
    assert [layer.max() for layer in masks.layers[1:]] == [LEG] * parts
    assert (masks.name(TABLE), masks.name(LEG)) == ("name 1500", "name 7")


def test_without_the_index_names_come_from_the_attributes(tmp_path: Path) -> None:
    source = Ade(write_ade(tmp_path), parts=True)
    record = source.records("test")[0]
    assert dict(source.object_masks(record).names) == {LAMP: "lamp", TABLE: "table", LEG: "leg"}
    record.path.with_name(f"{record.path.stem}_atr.txt").unlink()
    assert source.object_masks(record).name(LAMP) == "object 300"


def write_challenge(root: Path) -> Path:
    lines = []
    for number in range(1, 7):
        split, name = ("training", f"ADE_train_{number:08d}")
        for folder in ("images", "annotations"):
            (root / folder / split).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (3, 2)).save(root / "images" / split / f"{name}.jpg")
        mask = np.array([[1, 9, 0], [1, 150, 0]], np.uint8)
        Image.fromarray(mask).save(root / "annotations" / split / f"{name}.png")
        lines.append(f"{name} {'bathroom' if number % 2 else 'dining_room'}")
    (root / "sceneCategories.txt").write_text("\n".join([*lines, "ADE_val_00000001 attic"]))
    (root / "objectInfo150.txt").write_text(
        "Idx\tRatio\tTrain\tVal\tStuff\tName\n1\t0.15\t11664\t1172\t1\twall\n"
        "9\t0.02\t4710\t456\t1\twindowpane, window \n150\t0.0\t1\t1\t0\tflag\n"
    )
    return root


def test_the_challenge_s_scenes_and_names_are_read(tmp_path: Path) -> None:
    source = AdeScenes(write_challenge(tmp_path))
    assert source.classes == ["bathroom", "dining_room"]
    masks = source.object_masks(source.records("test")[0])
    assert masks.layers[0].tolist() == [[1, 9, 0], [1, 150, 0]]
    assert [masks.name(number) for number in (1, 9, 150, 12)] == [
        "wall",
        "windowpane",
        "flag",
        "object 12",
    ]
    check_masks(source, source.records("test"))


def test_an_image_that_the_challenge_does_not_list_is_named(tmp_path: Path) -> None:
    root = write_challenge(tmp_path)
    Image.new("RGB", (3, 2)).save(root / "images/training/ADE_train_00000099.jpg")
    with refused(root / "sceneCategories.txt", "ADE_train_00000099"):
        AdeScenes(root)


def write_folders(root: Path, **scenes: int) -> Path:
    for scene, count in scenes.items():
        for folder in ("images", "masks"):
            (root / folder / scene).mkdir(parents=True)
            for number in range(count):
                Image.new("L", (5, 4), 2).save(root / folder / scene / f"{number}.png")
    (root / "labels.csv").write_text("number,name\n2,sink\n")
    return root


def test_few_images_leave_a_scene_out_unless_it_is_named(tmp_path: Path) -> None:
    root = write_folders(tmp_path, bathroom=4, kitchen=6, yard=1)
    assert MaskedScenes(root).classes == ["bathroom", "kitchen"]
    assert MaskedScenes(root, least=5).classes == ["kitchen"]
    with refused("data.least=9", 3):
        MaskedScenes(root, least=9)
    with refused("data.scenes", "yard", 1):
        MaskedScenes(root, scenes=["bathroom", "yard"])


def test_the_share_that_is_examined_is_drawn_from_every_scene(tmp_path: Path) -> None:
    source = MaskedScenes(write_folders(tmp_path, bathroom=4, kitchen=8), held_out=0.25)
    assert source.records("test").labels.tolist() == [0, 1, 1]
    assert len(source.records("train")) == 9
    with refused("split 'val'"):
        source.records("val")


def test_damaged_files_are_one_line(tmp_path: Path) -> None:
    root = write_folders(tmp_path, bathroom=4)
    source = MaskedScenes(root, held_out=2)
    record = source.records("test")[0]
    (mask,) = source.mask_paths(record)
    Image.new("RGB", (5, 4)).save(mask)
    with refused(mask, "colour"):
        source.object_masks(record)
    mask.write_bytes(b"no picture")
    with refused(mask):
        check_masks(source, source.records("test"))
    (root / "labels.csv").write_text("value;name\n")
    with refused(root / "labels.csv", "number,name"):
        MaskedScenes(root)


def test_an_empty_folder_says_how_files_must_lie(tmp_path: Path) -> None:
    for reader in (Ade, MaskedScenes):
        with refused(f"data.root={tmp_path}"):
            reader(tmp_path)
    with refused(tmp_path / "sceneCategories.txt"):
        AdeScenes(tmp_path)
