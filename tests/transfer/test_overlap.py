"""Which objects overlap a region, counted by hand."""

import numpy as np
import pytest
from scipy.stats import binomtest

from gapnet.data.object_masks import ObjectMasks
from gapnet.metrics.proportion import wilson_interval
from gapnet.transfer.overlap import (
    ImageObjects,
    ObjectPixels,
    OverlapRule,
    count_pixels,
    most_frequent,
    most_informative,
    objects_of_scene,
)
from tests.refusals import refused


def test_pixels_are_counted_in_every_layer_and_inside_the_region() -> None:
    objects = np.array([[1, 1, 2], [1, 1, 0]])
    parts = np.array([[0, 5, 0], [0, 5, 0]])
    region = np.array([[True, True, True], [False, False, True]])
    counts = count_pixels(ObjectMasks([objects, parts], {1: "table", 2: "cup"}), region)
    assert counts == [
        ObjectPixels("cup", 1, 1),
        ObjectPixels("object 5", 2, 1),
        ObjectPixels("table", 4, 2),
    ]


def image(scene: int, **objects: tuple[int, int]) -> ImageObjects:
    return ImageObjects(scene, [ObjectPixels(name, *pair) for name, pair in objects.items()])


IMAGES = [
    image(0, wall=(90, 20), lamp=(4, 4)),
    image(0, wall=(80, 20), lamp=(4, 2)),
    image(0, wall=(70, 30)),
    image(0, wall=(40, 20), cup=(2, 2)),
    image(1, lamp=(9, 0)),
]


def test_an_object_is_informative_where_it_overlaps_and_frequent_where_it_is() -> None:
    objects = objects_of_scene(IMAGES, 0, OverlapRule(overlap=0.5))
    shares = {thing.name: (thing.informative, thing.frequency) for thing in objects}
    assert shares == {"cup": (1.0, 0.25), "lamp": (1.0, 0.5), "wall": (0.25, 1.0)}


def test_of_objects_that_overlap_as_often_the_more_frequent_comes_first() -> None:
    objects = objects_of_scene(IMAGES, 0, OverlapRule())
    rule = OverlapRule(shown=2)
    assert [thing.name for thing in most_informative(objects, rule)] == ["lamp", "cup"]
    assert [thing.name for thing in most_frequent(objects, rule)] == ["wall", "lamp"]


def test_rare_objects_are_not_ranked() -> None:
    objects = objects_of_scene(IMAGES, 0, OverlapRule())
    names = [thing.name for thing in most_informative(objects, OverlapRule(least=0.5))]
    assert names == ["lamp", "wall"]


@pytest.mark.parametrize(("hits", "count"), [(0, 7), (3, 9), (20, 20), (1, 1)])
def test_the_interval_is_scipy_s(hits: int, count: int) -> None:
    expected = binomtest(hits, count).proportion_ci(0.95, method="wilson")
    assert wilson_interval(hits, count) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(
    "values", [{"high": 0}, {"overlap": 1.5}, {"least": -1}, {"shown": 0}], ids=str
)
def test_wrong_values_are_named(values: dict[str, float]) -> None:
    ((name, value),) = values.items()
    with refused(f"{name}={value}"):
        OverlapRule(**values)  # type: ignore[arg-type]
