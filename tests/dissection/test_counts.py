"""Thresholds and counts, against plain numpy."""

import numpy as np
import pytest
import torch
from torch import Tensor

from gapnet.data.segmented import NO_CONCEPT, Annotation, Concept
from gapnet.dissection.annotated_images import AnnotatedBatch
from gapnet.dissection.passes import CountState
from gapnet.dissection.scores import iou_of
from gapnet.dissection.thresholds import LargestValues, Places, ThresholdState
from gapnet.dissection.unit_sets import random_rotation
from tests.oracles import dissection as oracle

CONCEPTS = [
    Concept("cat", "object"),
    Concept("dog", "object"),
    Concept("red", "color"),
    Concept("kitchen", "scene"),
]
SHARE, UNITS, IMAGES = 0.1, 5, 12


@pytest.fixture
def maps() -> Tensor:
    """Maps (N, C, h, w) of different sizes and signs."""
    scales = torch.tensor([1.0, 10.0, 0.1, 1.0, 1.0])[:, None, None]
    return torch.randn(IMAGES, UNITS, 5, 7) * scales - 0.3


@pytest.fixture
def annotations() -> list[Annotation]:
    """Annotations of unlike sizes: some images lack a category, one lacks all."""
    generator = np.random.default_rng(0)
    made = []
    for index in range(IMAGES):
        size = (9 + index, 8)
        objects = generator.integers(NO_CONCEPT, 2, size)
        colors = np.where(generator.random(size) < 0.4, 2, NO_CONCEPT)
        planes = [objects, colors][: index % 3]
        stacked = np.array(planes, np.int16).reshape(-1, *size)
        made.append(Annotation(size, stacked, (3,) if index % 4 == 1 else ()))
    return made


def thresholds_of(maps: Tensor, places: Places) -> ThresholdState:
    state = ThresholdState({"layer": places})
    for start in range(0, len(maps), 5):
        rows = list(range(start, min(start + 5, len(maps))))
        state.add({"layer": maps[rows]}, rows)
    return state


def exact(images: int = IMAGES, total: int = 35) -> Places:
    return Places.plan(total, UNITS, images, share=SHARE, memory=1e9)


def counted(maps: Tensor, annotations: list[Annotation], rows: list[int]) -> CountState:
    thresholds = thresholds_of(maps, exact()).thresholds(SHARE)
    state = CountState(thresholds, CONCEPTS, top=3, sizes={"layer": (5, 7)})
    for start in range(0, len(rows), 5):
        own = rows[start : start + 5]
        ids = [str(row) for row in own]
        batch = AnnotatedBatch(None, own, ids, [annotations[row] for row in own])
        state.add({"layer": maps[own]}, batch, list(range(len(own))))
    return state


def iou(state: CountState) -> np.ndarray:
    return iou_of(state.tallies["layer"].finish(), state.concepts)


def test_a_threshold_is_the_least_value_that_at_most_the_share_exceeds(maps: Tensor) -> None:
    thresholds = thresholds_of(maps, exact()).thresholds(SHARE)["layer"]
    expected = [oracle.threshold(maps[:, unit].flatten().numpy(), SHARE) for unit in range(UNITS)]
    assert thresholds.tolist() == pytest.approx(expected, abs=0)


def test_iou_is_that_of_plain_numpy(maps: Tensor, annotations: list[Annotation]) -> None:
    found = iou(counted(maps, annotations, list(range(IMAGES))))
    expected = oracle.iou(maps.double().numpy(), annotations, CONCEPTS, SHARE)
    assert (expected > 0).all()
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_images_without_a_category_do_not_change_the_iou_of_its_concepts(maps: Tensor) -> None:
    red = Annotation((4, 4), np.full((1, 4, 4), 2, np.int16))
    nothing = Annotation((4, 4), np.empty((0, 4, 4), np.int16))
    with_red = counted(maps, [red] * IMAGES, [0, 1, 2])
    mixed = counted(maps, [red] * 3 + [nothing] * 9, list(range(IMAGES)))
    assert np.array_equal(iou(with_red)[:, 2], iou(mixed)[:, 2])


def test_states_of_two_processes_merge_to_that_of_one(
    maps: Tensor, annotations: list[Annotation]
) -> None:
    one = counted(maps, annotations, list(range(IMAGES)))
    even = counted(maps, annotations, list(range(0, IMAGES, 2)))
    even.merge(counted(maps, annotations, list(range(1, IMAGES, 2))).arrays())
    expected = one.arrays()
    for name, values in even.arrays().items():
        np.testing.assert_array_equal(values, expected[name], err_msg=name)


def test_top_images_are_those_with_the_highest_maximum(
    maps: Tensor, annotations: list[Annotation]
) -> None:
    top = counted(maps, annotations, list(range(IMAGES))).top["layer"]
    rows = maps.amax((2, 3)).argsort(dim=0, descending=True)[:3].T
    assert torch.equal(top.rows, rows)
    assert torch.equal(top.maps[1, 2], maps[rows[1, 2], 1])


def test_the_largest_values_need_no_more_memory_for_more_values() -> None:
    largest = LargestValues(keep=10)
    values = torch.randn(2, 100_000)
    columns = 0
    for chunk in values.split(1000, dim=1):
        largest.add(chunk)
        columns = max(columns, sum(part.shape[1] for part in largest._chunks))
    assert torch.equal(largest.values().sort(descending=True).values, values.topk(10).values)
    assert columns < 5000


def test_sampled_thresholds_keep_the_stated_error() -> None:
    images, share = 400, 0.05
    maps = torch.randn(images, 20, 16, 16).cumsum(3)  # neighbours are alike
    memory = Places.plan(256, 20, images, share=share, memory=1e9)
    assert memory.exact
    places = Places.plan(256, 20, images, share=share, memory=0.5 * 12 * 20 * images * 256 * share)
    assert not places.exact
    state = ThresholdState({"layer": places})
    state.add({"layer": maps}, list(range(images)))
    thresholds = state.thresholds(share)["layer"]
    shares = (maps > thresholds[:, None, None]).float().mean((0, 2, 3))
    errors = (shares - share).abs() / places.error(images, share)
    assert (errors < 2).all()
    assert (errors < 1).float().mean() > 0.8


def test_a_rotation_keeps_lengths_and_is_of_its_seed() -> None:
    rotation = random_rotation(16, 1)
    torch.testing.assert_close(rotation @ rotation.T, torch.eye(16))
    assert torch.equal(rotation, random_rotation(16, 1))
    assert not torch.equal(rotation, random_rotation(16, 2))
