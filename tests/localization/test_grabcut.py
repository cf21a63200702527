import cv2
import numpy as np
import pytest

from gapnet.errors import GapnetError
from gapnet.localization.boxers.grabcut import GrabCutBoxer, seeds
from tests.oracles import tight_loose


def scene(box: tuple[int, int, int, int], side: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Draw a red box on green, and a map that is warm at its middle only."""
    x1, y1, x2, y2 = box
    picture = np.full((side, side, 3), (30, 140, 40), np.uint8)
    picture[y1 : y2 + 1, x1 : x2 + 1] = (200, 40, 30)
    noise = np.random.default_rng(0).integers(0, 25, picture.shape, dtype=np.uint8)
    rows, columns = np.mgrid[:side, :side]
    distance = np.hypot(rows - (y1 + y2) / 2, columns - (x1 + x2) / 2)
    return picture + noise, np.clip(1 - distance / side, 0, 1).astype(np.float32)


def test_colours_complete_what_the_map_shows_in_part() -> None:
    picture, heat = scene((14, 20, 45, 41))
    boxer = GrabCutBoxer(side=64)
    assert np.abs(boxer.boxes(heat, picture)[0] - [14, 20, 45, 41]).max() <= 2


def test_the_same_picture_has_the_same_box_whatever_was_segmented_before() -> None:
    picture, heat = scene((10, 10, 30, 50))
    boxer = GrabCutBoxer(side=64)
    first = boxer.boxes(heat, picture)
    boxer.boxes(*reversed(scene((20, 5, 60, 30))))
    assert np.array_equal(boxer.boxes(heat, picture), first)


def test_seeds_are_the_published_quantiles() -> None:
    heat = np.random.default_rng(1).random((40, 50)).astype(np.float32)
    marked = seeds(heat, warm=0.95, cold=0.30)
    meaning = {cv2.GC_FGD: 1, cv2.GC_BGD: 0, cv2.GC_PR_BGD: -1}
    expected = tight_loose.seeds(heat)
    assert np.array_equal(np.vectorize(meaning.__getitem__)(marked), expected)


def test_a_map_that_is_the_same_everywhere_has_the_whole_view() -> None:
    picture, heat = scene((14, 20, 45, 41))
    boxer = GrabCutBoxer(side=64)
    assert boxer.boxes(np.zeros_like(heat), picture).tolist() == [[0, 0, 63, 63]]


def test_maps_without_their_pictures_are_refused() -> None:
    with pytest.raises(GapnetError, match="boxer=grabcut: "):
        GrabCutBoxer().boxes(np.ones((8, 8), np.float32), None)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cold": 0.96}, r"boxer\.cold=0\.96: "),
        ({"warm": 1.0}, r"boxer\.warm=1\.0: "),
        ({"iterations": 0}, r"boxer\.iterations=0: "),
        ({"side": 0}, r"boxer\.side=0: "),
    ],
)
def test_a_segmentation_out_of_range_is_refused(wrong: dict, message: str) -> None:
    with pytest.raises(GapnetError, match=message):
        GrabCutBoxer(**wrong)
