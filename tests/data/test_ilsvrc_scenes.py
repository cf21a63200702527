"""Scenes with ILSVRC's statistics: boxes, and what must not depend on the class."""

from collections import Counter
from functools import cache

import numpy as np
import pytest

from gapnet.data.sources.shapes.box_statistics import HEIGHTS, LEVELS, WIDTHS, random_boxes
from gapnet.data.sources.shapes.dataset import Drawing
from gapnet.data.sources.shapes.ilsvrc_scenes import draw_scene
from gapnet.data.sources.shapes.noise import fields
from tests.refusals import refused

IMAGES = 2500
QUANTILES = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)
# Of the public validation annotations of ILSVRC
ALONE_AREA = (0.049, 0.101, 0.249, 0.479, 0.720, 0.906, 0.983)
AREA = (0.007, 0.015, 0.054, 0.209, 0.511, 0.783, 0.909)
CENTRE_X = (0.179, 0.262, 0.412, 0.499, 0.588, 0.743, 0.826)
CENTRE_Y = (0.223, 0.308, 0.444, 0.508, 0.595, 0.715, 0.785)
CORRELATION = 0.70
COUNTS = {1: 0.766, 2: 0.123, 3: 0.042, 4: 0.022, 5: 0.013}
WHOLE_ERROR, CENTRE_ERROR = 0.59, 0.465
CENTRE = (0.125, 0.125, 0.875, 0.875)  # a box with 0.75 of the image's sides


@cache
def images() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [random_boxes(rng) for _ in range(IMAGES)]


def sides(boxes: np.ndarray) -> np.ndarray:
    return boxes[:, 2:] - boxes[:, :2]


def error_of(box: tuple[float, ...]) -> float:
    """Return how often no box of an image overlaps `box` by half, counted from the definition."""
    hits = 0
    for boxes in images():
        low = np.maximum(boxes[:, :2], box[:2])
        high = np.minimum(boxes[:, 2:], box[2:])
        shared = (high - low).clip(0).prod(1)
        union = sides(boxes).prod(1) + (box[2] - box[0]) * (box[3] - box[1]) - shared
        hits += bool((shared / union >= 0.5).any())
    return 1 - hits / IMAGES


def test_the_whole_image_errs_as_often_as_on_ilsvrc() -> None:
    assert error_of((0, 0, 1, 1)) == pytest.approx(WHOLE_ERROR, abs=0.02)


def test_a_box_in_the_middle_errs_as_often_as_on_ilsvrc() -> None:
    assert error_of(CENTRE) == pytest.approx(CENTRE_ERROR, abs=0.02)


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        (lambda boxes: sides(boxes)[:, 0], WIDTHS[1:-1]),
        (lambda boxes: sides(boxes)[:, 1], HEIGHTS[1:-1]),
        (lambda boxes: sides(boxes).prod(1), AREA),
        (lambda boxes: boxes[:, ::2].mean(1), CENTRE_X),
        (lambda boxes: boxes[:, 1::2].mean(1), CENTRE_Y),
    ],
    ids=["width", "height", "area", "centre x", "centre y"],
)
def test_quantiles_of_all_boxes_are_those_of_ilsvrc(measure, expected) -> None:
    quantiles = np.quantile(measure(np.concatenate(images())), QUANTILES)
    assert quantiles == pytest.approx(expected, abs=0.04)


def test_the_area_of_a_box_that_is_alone_is_that_of_ilsvrc() -> None:
    alone = np.concatenate([boxes for boxes in images() if len(boxes) == 1])
    assert np.quantile(sides(alone).prod(1), QUANTILES) == pytest.approx(ALONE_AREA, abs=0.04)


def test_wide_boxes_are_high_as_often_as_on_ilsvrc() -> None:
    widths, heights = sides(np.concatenate(images())).T
    assert np.corrcoef(widths, heights)[0, 1] == pytest.approx(CORRELATION, abs=0.03)


def test_images_have_as_many_boxes_as_on_ilsvrc() -> None:
    counted = Counter(map(len, images()))
    for count, share in COUNTS.items():
        assert counted[count] / IMAGES == pytest.approx(share, abs=0.015)


def test_levels_are_those_of_the_quantiles() -> None:
    assert LEVELS[1:-1] == QUANTILES


def test_a_field_has_the_spectrum_of_natural_images() -> None:
    rng = np.random.default_rng(0)
    power = (np.abs(np.fft.rfft2(fields(rng, 40, (64, 64)))) ** 2).mean(0)
    frequency = np.arange(2, 24)
    slope = np.polyfit(np.log(frequency), np.log(power[0, 2:24]), 1)[0]
    assert slope == pytest.approx(-2, abs=0.15)  # the amplitude's is -1


def test_fields_are_normalised_and_independent() -> None:
    drawn = fields(np.random.default_rng(0), 401, (30, 33)).reshape(401, -1)
    assert drawn.mean(1) == pytest.approx(np.zeros(401), abs=1e-5)
    assert drawn.std(1) == pytest.approx(np.ones(401), abs=1e-4)
    correlations = (drawn[:-1] * drawn[1:]).mean(1)  # also of real and imaginary parts
    assert abs(correlations.mean()) < 3 * correlations.std() / np.sqrt(400)


def test_nothing_but_the_class_s_traits_depends_on_the_class() -> None:
    """Boxes are equal for all classes, and so are all pixels outside of them."""
    scenes = [
        draw_scene(np.random.SeedSequence([1, 2, 3]), label, size=(64, 80)) for label in (0, 7)
    ]
    (image, boxes), (other, other_boxes) = scenes
    assert boxes.tolist() == other_boxes.tolist()
    outside = np.ones(image.shape[:2], dtype=bool)
    for left, top, right, bottom in boxes:
        outside[top : bottom + 1, left : right + 1] = False
    assert 0 < outside.sum() < outside.size
    assert np.array_equal(image[outside], other[outside])
    assert not np.array_equal(image, other)


def test_the_kind_of_scene_is_part_of_the_drawing() -> None:
    drawing = Drawing(size=(40, 40), classes=2, train_cls=2, val=2, test=2, seed=0)
    other = Drawing(size=(40, 40), classes=2, train_cls=2, val=2, test=2, seed=0, scenes="ilsvrc")
    assert drawing.folder_name() != other.folder_name()
    assert "scenes" not in drawing.values()
    with refused("data.scenes", "dense"):
        Drawing(size=(40, 40), classes=2, train_cls=2, val=2, test=2, seed=0, scenes="dense")
