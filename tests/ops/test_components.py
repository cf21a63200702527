import numpy as np
import pytest

from gapnet.ops.components import largest_component_boxes
from tests.oracles import regions as oracle

CUTS = np.arange(0, 1, 0.05, dtype=np.float32)


def smooth_map(seed: int, shape: tuple[int, int] = (17, 23)) -> np.ndarray:
    """Draw a map with few values, so that ties of size and value happen."""
    values = np.random.default_rng(seed).integers(0, 12, shape).astype(np.float32)
    return values / max(values.max(), 1)


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("seed", range(6))
def test_boxes_at_all_thresholds_equal_flood_fill_at_each(seed: int, connectivity: int) -> None:
    heat = smooth_map(seed)
    boxes = largest_component_boxes(heat, CUTS, connectivity=connectivity)
    for cut, box in zip(CUTS, boxes, strict=True):
        assert tuple(box) == oracle.largest_component_box(
            heat, float(cut), connectivity=connectivity
        )


def test_the_first_in_reading_order_wins_a_tie() -> None:
    heat = np.zeros((5, 9), dtype=np.float32)
    heat[3, 0:2] = heat[1, 6:8] = 1
    assert largest_component_boxes(heat, np.float32([0.5])).tolist() == [[6, 1, 7, 1]]


def test_corners_connect_only_in_eight_connectivity() -> None:
    heat = np.eye(4, dtype=np.float32)
    assert largest_component_boxes(heat, np.float32([0.5]), connectivity=8).tolist() == [
        [0, 0, 3, 3]
    ]
    assert largest_component_boxes(heat, np.float32([0.5]), connectivity=4).tolist() == [
        [0, 0, 0, 0]
    ]


def test_contour_area_counts_the_hole_that_pixels_do_not() -> None:
    heat = np.zeros((12, 24), dtype=np.float32)
    heat[1:10, 1:10] = 1
    heat[2:9, 2:9] = 0  # a ring of 32 pixels around an area of 64
    heat[2:8, 14:21] = 1  # a block of 42 pixels, whose contour encloses 30
    assert largest_component_boxes(heat, np.float32([0.5]), size="pixels").tolist() == [
        [14, 2, 20, 7]
    ]
    assert largest_component_boxes(heat, np.float32([0.5]), size="contour").tolist() == [
        [1, 1, 9, 9]
    ]


def test_the_region_is_strictly_above_the_threshold() -> None:
    heat = np.float32([[0.2, 0.2, 0.3]])
    assert largest_component_boxes(heat, np.float32([0.2])).tolist() == [[2, 0, 2, 0]]


def test_an_empty_region_has_the_box_of_the_whole_map() -> None:
    assert (
        largest_component_boxes(np.zeros((3, 5), dtype=np.float32), np.float32([0.0, 0.5])).tolist()
        == [[0, 0, 4, 2]] * 2
    )


def test_a_map_of_one_cell_is_boxed() -> None:
    assert largest_component_boxes(
        np.ones((1, 1), dtype=np.float32), np.float32([0.2])
    ).tolist() == [[0, 0, 0, 0]]


@pytest.mark.parametrize("seed", range(40))
def test_ties_between_scattered_cells_go_by_reading_order(seed: int) -> None:
    heat = (np.random.default_rng(seed).random((9, 11)) < 0.15).astype(np.float32)
    box = largest_component_boxes(heat, np.float32([0.5]))[0]
    assert tuple(box) == oracle.largest_component_box(heat, 0.5, connectivity=8)
