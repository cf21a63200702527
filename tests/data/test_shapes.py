import dataclasses
import json
import shutil
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from gapnet.data.sources.ilsvrc import Ilsvrc
from gapnet.data.sources.shapes import dataset as shapes
from gapnet.data.sources.shapes import sparse_scenes
from gapnet.data.sources.shapes.dataset import Drawing, draw
from gapnet.data.sources.shapes.sparse_scenes import draw_scene
from gapnet.data.sources.shapes.traits import CLASSES, class_traits
from tests.fixtures import small_shapes
from tests.oracles import scoring
from tests.refusals import refused

SMALL = Drawing(size=(40, 56), classes=2, train_cls=4, val=2, test=2, seed=5)
COUNT = 150
SCENES = 4
PINNED = (
    1,
    [
        [[23, 31, 101, 108]],
        [[34, 30, 92, 81]],
        [[7, 32, 31, 54]],
        [[8, 46, 53, 92]],
        [[13, 26, 79, 94]],
    ],
    [125.3, 140.8, 119.0, 120.3, 136.0],
)


@cache
def scene(
    index: int, label: int, size: tuple[int, int] = (112, 112)
) -> tuple[np.ndarray, np.ndarray]:
    return draw_scene(np.random.SeedSequence([0, 2, index]), label, size=size)


def content(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def test_the_same_seed_draws_the_same_bytes(tmp_path: Path) -> None:
    draw(SMALL, tmp_path / "one")
    draw(SMALL, tmp_path / "two")
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_a_change_of_the_drawing_is_a_new_version() -> None:
    """Pin what version 1 draws: the boxes exactly, the pixels to within a rounding."""
    drawn = [scene(index, index % 12) for index in range(5)]
    boxes = [boxes.tolist() for _, boxes in drawn]
    means = [float(image.mean().round(1)) for image, _ in drawn]
    assert (shapes.VERSION, boxes, means) == PINNED


def test_another_seed_draws_other_images(tmp_path: Path) -> None:
    assert not np.array_equal(scene(0, 0)[0], scene(1, 0)[0])
    assert SMALL.folder_name() != dataclasses.replace(SMALL, seed=6).folder_name()


def test_the_tree_is_read_by_the_ilsvrc_reader(shapes_root: Path) -> None:
    source = Ilsvrc(shapes_root)
    train, test = source.records("train_cls"), source.records("test")
    assert [len(train), len(source.records("val")), len(test)] == [24, 12, 12]
    assert Counter(record.label for record in train) == {0: 8, 1: 8, 2: 8}
    assert all(record.path.is_file() for record in [*train, *test])
    assert all(record.boxes is None for record in train)
    assert all(record.boxes is not None and len(record.boxes) >= 1 for record in test)


def test_boxes_on_disk_are_those_that_were_drawn(shapes_root: Path) -> None:
    record = Ilsvrc(shapes_root).records("test")[7]
    _, boxes = draw_scene(np.random.SeedSequence([0, 2, 7]), 7 % 3, size=(48, 48))
    assert record.boxes is not None
    assert record.boxes.tolist() == boxes.tolist()


def test_the_box_is_tight_around_what_the_class_changes() -> None:
    for index in range(SCENES):
        pictures = [scene(index, label)[0].astype(int) for label in range(12)]
        changed = np.any(
            [np.abs(picture - pictures[0]).max(2) > 0 for picture in pictures[1:]], axis=0
        )
        boxes = scene(index, 0)[1]
        rows, columns = np.nonzero(changed)
        found = [columns.min(), rows.min(), columns.max(), rows.max()]
        expected = [*boxes[:, :2].min(0), *boxes[:, 2:].max(0)]
        assert np.abs(np.subtract(found, expected)).max() <= 1


def test_nothing_but_the_object_s_own_pixels_tells_the_class() -> None:
    for index in range(SCENES):
        for label in range(1, 12):
            (first, boxes), (second, others) = scene(index, 0), scene(index, label)
            np.testing.assert_array_equal(boxes, others)
            outside = np.ones(first.shape[:2], dtype=bool)
            for x1, y1, x2, y2 in boxes:
                outside[y1 : y2 + 1, x1 : x2 + 1] = False
            np.testing.assert_array_equal(first[outside], second[outside])


def test_every_class_shows_the_same_two_colours_of_its_object(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []
    monkeypatch.setattr(
        sparse_scenes,
        "_draw_object",
        lambda canvas, layout, label: seen.append(layout.colours) or (0, 0, 1, 1),
    )
    for label in range(3):
        draw_scene(np.random.SeedSequence([0, 2, 4]), label, size=(112, 112))
    assert all(np.array_equal(colours, seen[0]) for colours in seen[:: len(seen) // 3])


@pytest.mark.slow
def test_objects_have_a_fifth_to_three_quarters_of_the_side() -> None:
    sides = np.concatenate(
        [boxes[:, 2:] - boxes[:, :2] + 1 for _, boxes in map(scene, range(COUNT), [0] * COUNT)]
    )
    assert sides.min() >= round(0.20 * 112)
    assert sides.max() <= round(0.75 * 112)


@pytest.mark.slow
def test_some_scenes_hold_two_or_three_objects() -> None:
    counts = Counter(len(scene(index, 0)[1]) for index in range(COUNT))
    assert set(counts) == {1, 2, 3}
    assert 0.7 < counts[1] / COUNT < 0.95


@pytest.mark.slow
def test_the_best_centred_box_finds_less_than_four_in_ten() -> None:
    truth = [scene(index, 0)[1].tolist() for index in range(COUNT)]
    sizes = [(112, 112)] * COUNT
    share = scoring.best_centred_share(
        sizes, truth, shares=[share / 50 for share in range(5, 51)], iou_threshold=0.5
    )
    boxes = [scoring.centred_box((112, 112), share)] * COUNT
    assert 1 - scoring.gt_known_error(boxes, truth, iou_threshold=0.5, inclusive=True) < 0.40


def test_no_two_classes_share_all_traits_and_the_first_twelve_share_none() -> None:
    traits = [class_traits(index) for index in range(CLASSES)]
    assert len({trait[:2] for trait in traits}) == CLASSES
    for position in range(3):
        assert len({trait[position] for trait in traits[:12]}) == 12
    assert len({shapes._class_name(index) for index in range(CLASSES)}) == CLASSES


def test_an_oblong_image_is_height_by_width() -> None:
    image, boxes = scene(0, 0, size=(60, 100))
    assert image.shape == (60, 100, 3)
    assert boxes[:, 2].max() < 100
    assert boxes[:, 3].max() < 60


def test_an_interrupted_drawing_leaves_nothing_that_looks_finished(
    tmp_path: Path, monkeypatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shapes, "_draw_tree", fail)
    with pytest.raises(KeyboardInterrupt):
        draw(SMALL, tmp_path / "shapes")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_drawing_that_was_killed_is_drawn_again(tmp_path: Path) -> None:
    left_over = tmp_path / ".shapes.unfinished-abc"
    left_over.mkdir()
    draw(SMALL, tmp_path / "shapes")
    assert (tmp_path / "shapes" / "shapes.json").is_file()


def test_two_processes_may_draw_the_same(tmp_path: Path, shapes_root: Path, monkeypatch) -> None:
    root = tmp_path / "shapes"
    drawn_meanwhile = lambda *_: shutil.copytree(shapes_root, root)  # noqa: E731
    monkeypatch.setattr(shapes, "_draw_tree", drawn_meanwhile)
    small_shapes(root)
    assert [path.name for path in tmp_path.iterdir()] == ["shapes"]


def test_a_second_call_draws_nothing(shapes_root: Path) -> None:
    before = (shapes_root / "shapes.json").stat().st_mtime_ns
    small_shapes(shapes_root)
    assert (shapes_root / "shapes.json").stat().st_mtime_ns == before


def test_a_folder_that_is_no_drawing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    with refused(f"data.root={tmp_path}", "shapes.json"):
        shapes.shapes(root=tmp_path)
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_a_drawing_of_other_parameters_is_refused_and_named(shapes_root: Path) -> None:
    with refused(f"data.root={shapes_root}", "classes=3", 4, "seed=0", 9):
        shapes.shapes(root=shapes_root, size=48, classes=4, train=24, val=12, test=12, seed=9)


@pytest.mark.parametrize("text", ["{", "[1]", "3", "[" * 100_000])
def test_a_stamp_that_makes_no_sense_is_refused(
    shapes_root: Path, tmp_path: Path, text: str
) -> None:
    shutil.copytree(shapes_root, tmp_path / "shapes")
    (tmp_path / "shapes" / "shapes.json").write_text(text)
    with refused("shapes.json"):
        small_shapes(tmp_path / "shapes")


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        ({"classes": 1}, "data.classes=1"),
        ({"classes": CLASSES + 1}, f"data.classes={CLASSES + 1}"),
        ({"size": 16}, "data.size=16"),
        ({"train": 3}, "data.train=3"),
        ({"size": [1, 2, 3]}, "data.size=[1, 2, 3]"),
    ],
)
def test_a_parameter_out_of_range_is_named(tmp_path: Path, wrong: dict, part: str) -> None:
    with refused(part):
        shapes.shapes(folder=tmp_path, **wrong)
    assert list(tmp_path.iterdir()) == []


def test_the_stamp_says_what_was_drawn(shapes_root: Path) -> None:
    stamp = json.loads((shapes_root / "shapes.json").read_text())
    assert stamp == {
        "size": [48, 48],
        "classes": 3,
        "train_cls": 24,
        "val": 12,
        "test": 12,
        "seed": 0,
        "version": shapes.VERSION,
    }
