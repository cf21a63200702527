"""Each way to the box of the largest component against the simple one, which labels every pixel."""

from typing import NamedTuple

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapnet.ops import lazy_sweep
from gapnet.ops.compiled_sweep import sweep
from gapnet.ops.components import boxes_one_by_one, largest_component_boxes
from gapnet.ops.contoured_components import largest_by_contours
from gapnet.ops.labelled_components import largest_by_labels

pytestmark = pytest.mark.xdist_group("compiled")  # the code is then compiled once
CUTS = (np.arange(100) / 100).astype(np.float32)
EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True)
SIDE = st.integers(1, 24)


class Drawn(NamedTuple):
    seed: int
    height: int
    width: int
    kind: str


KINDS = ["noise", "levels", "on the cuts", "smooth", "signs", "constant", "not finite"]
MAPS = st.builds(Drawn, st.integers(0, 2**32), SIDE, SIDE, st.sampled_from(KINDS))
UNEVEN = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=12).map(sorted)
SWEEPS = st.one_of(st.just(CUTS), UNEVEN.map(np.float32))


def draw(drawn: Drawn) -> np.ndarray:
    rng, shape = np.random.default_rng(drawn.seed), (drawn.height, drawn.width)
    heat = {
        "noise": rng.random,
        "levels": lambda shape: rng.integers(0, 4, shape) / 3,  # ties and plateaus
        "on the cuts": lambda shape: rng.integers(-3, 103, shape) / 100,
        "smooth": lambda shape: cv2.resize(rng.random((4, 4)), shape[::-1]).reshape(shape),
        "signs": rng.standard_normal,
        "constant": lambda shape: np.full(shape, rng.choice([-1, 0, 0.2, 1])),
        "not finite": lambda shape: rng.choice([-np.inf, 0.1, 0.5, np.nan, np.inf], shape),
    }[drawn.kind](shape)
    return heat.astype(np.float32)


def by_labels(heat, cuts, *, connectivity=8, size="pixels") -> list[list[int]]:
    """Label the region above each threshold; NaN sorts above all numbers."""
    height, width = heat.shape
    boxes = []
    for place in range(len(cuts)):
        mask = (np.searchsorted(cuts, heat.ravel()) > place).reshape(heat.shape).astype(np.uint8)
        whole = (0, 0, width - 1, height - 1)
        boxes.append(
            list(
                largest_by_labels(mask, connectivity=connectivity, size=size)
                if mask.any()
                else whole
            )
        )
    return boxes


@EXAMPLES
@given(MAPS, SWEEPS, st.sampled_from([4, 8]), st.sampled_from(["pixels", "contour"]))
def test_one_mask_per_threshold_equals_labelling(drawn, cuts, connectivity, size) -> None:
    heat, kind = draw(drawn), {"connectivity": connectivity, "size": size}
    assert boxes_one_by_one(heat, cuts, **kind).tolist() == by_labels(heat, cuts, **kind)


@EXAMPLES
@given(MAPS, SWEEPS)
def test_the_compiled_sweep_equals_labelling(drawn, cuts) -> None:
    heat = draw(drawn)
    boxes = sweep(heat, cuts)
    if boxes is None:
        assert np.isnan(heat).any()
    else:
        assert boxes.tolist() == by_labels(heat, cuts)


@EXAMPLES
@given(MAPS, st.sampled_from(["pixels", "contour"]), st.floats(0, 1))
def test_outlines_equal_labels(drawn, size, cut) -> None:
    mask = (draw(drawn) > cut).view(np.uint8)
    mask = mask if mask.any() else np.ones_like(mask)
    expected = largest_by_labels(mask, connectivity=8, size=size)
    assert largest_by_contours(mask, size=size) == expected


@pytest.mark.parametrize("size", ["pixels", "contour"])
def test_outlines_equal_labels_around_large_holes_and_islands(size: str) -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        mask = np.zeros((40, 50), np.uint8)
        for side in range(2, rng.integers(6, 36), 4):  # rings around rings
            x, y = rng.integers(0, 12, 2).tolist()
            cv2.rectangle(mask, (x, y), (x + side, y + side), 1)
        expected = largest_by_labels(mask, connectivity=8, size=size)
        assert largest_by_contours(mask, size=size) == expected


def test_many_small_components_are_labelled() -> None:
    mask = np.zeros((60, 60), np.uint8)
    mask[::2, ::2] = 1
    mask[30, 31] = 1
    assert largest_by_contours(mask, size="pixels") == (30, 30, 32, 30)


def test_a_map_with_too_many_peaks_is_left_to_the_other_way() -> None:
    heat = np.random.default_rng(0).random((120, 120)).astype(np.float32)
    assert sweep(heat, CUTS) is None
    assert largest_component_boxes(heat, CUTS).tolist() == by_labels(heat, CUTS)


@pytest.mark.parametrize("count", [1, 255, 256, 300])
def test_a_sweep_has_any_number_of_thresholds(count: int) -> None:
    heat = cv2.resize(np.random.default_rng(1).random((4, 4)), (31, 22)).astype(np.float32)
    cuts = np.linspace(0, 0.99, count, dtype=np.float32)
    boxes = sweep(heat, cuts)
    assert (boxes is None) == (count > 255)
    assert boxes is None or boxes.tolist() == by_labels(heat, cuts)


def test_a_map_that_cannot_be_written_or_is_transposed_is_swept() -> None:
    heat = cv2.resize(np.random.default_rng(1).random((4, 4)), (31, 22)).astype(np.float32).T
    heat.flags.writeable = False
    assert sweep(heat, CUTS).tolist() == by_labels(heat, CUTS)
    assert boxes_one_by_one(heat, CUTS, connectivity=8, size="pixels").tolist() == by_labels(
        heat, CUTS
    )


@pytest.fixture
def worth_loading(monkeypatch):
    """Load the compiled code for the first map, and forget what is loaded."""
    monkeypatch.setattr(lazy_sweep, "WORTH_LOADING", 0)
    lazy_sweep.load_sweep.cache_clear()
    yield
    lazy_sweep.load_sweep.cache_clear()


def test_the_compiled_code_is_used_once_it_pays(worth_loading, monkeypatch) -> None:
    monkeypatch.setattr(lazy_sweep, "WORTH_LOADING", 150)
    monkeypatch.setattr(lazy_sweep, "_swept", lazy_sweep.SweptCells())
    heat = np.eye(10, dtype=np.float32)
    assert lazy_sweep.compiled_sweep(heat, CUTS) is None
    assert lazy_sweep.compiled_sweep(heat, CUTS).tolist() == by_labels(heat, CUTS)


@pytest.mark.parametrize("error", [ImportError("no numba"), SystemError("broken numba")])
def test_numba_that_is_missing_or_broken_changes_no_box(worth_loading, monkeypatch, error) -> None:
    def fail(name: str) -> None:
        raise error

    monkeypatch.setattr(lazy_sweep, "import_module", fail)
    heat = np.eye(10, dtype=np.float32)
    assert lazy_sweep.compiled_sweep(heat, CUTS) is None
    assert largest_component_boxes(heat, CUTS).tolist() == by_labels(heat, CUTS)
