import cv2
import numpy as np
import pytest
import torch
from torchvision.transforms.functional import ten_crop

import tests.oracles.released as rel
from tests.oracles.crops import bilinear, crop_windows, mean_softmax, merge
from tests.oracles.maps import upsample
from tests.oracles.regions import components
from tests.oracles.tight_loose import guesses, localization_right, plain_boxes, seeds


def painted(shape, *blocks):
    canvas = np.zeros(shape)
    for x1, y1, x2, y2, value in blocks:
        canvas[y1 : y2 + 1, x1 : x2 + 1] = value
    return canvas


@pytest.mark.parametrize("size", [(8, 8), (9, 12), (7, 7), (8, 5), (6, 9), (7, 8), (4, 4)])
def test_windows_are_torchvisions(size):
    image = torch.arange(size[0] * size[1]).reshape(1, *size)
    ten = ten_crop(image, [4, 4])
    for (top, left, mirrored), crop in zip(crop_windows(size, (4, 4)), ten, strict=True):
        window = image[:, top : top + 4, left : left + 4]
        assert torch.equal(window.flip(-1) if mirrored else window, crop)


def test_bilinear_and_mean_softmax():
    np.testing.assert_allclose(mean_softmax([[1e3, 1e3]] * 5 + [[1e3, 0.0]] * 5), [0.75, 0.25])
    assert bilinear([[0.0, 4.0]], (1, 4)).tolist() == [[0.0, 1.0, 3.0, 4.0]]
    cells = np.random.default_rng(0).normal(size=(5, 3))
    for size in [(11, 8), (5, 3), (2, 2), (1, 13)]:
        np.testing.assert_allclose(bilinear(cells, size), upsample(cells, size), atol=1e-12)


def test_merge():
    maps = np.zeros((10, 1, 2))
    maps[0] = [[1.0, -2.0]]  # columns 0 and 1
    maps[1] = [[3.0, 5.0]]  # columns 1 and 2
    maps[5] = [[-7.0, 4.0]]  # mirrored: 4 at column 1, -7 at column 2
    assert merge(maps, (1, 3), (1, 2), "released").tolist() == [[1.0, 9.0, 12.0]]  # 2 + 3 + 4
    assert merge(maps, (1, 3), (1, 2), "coverage").tolist() == [[1 / 5, 5 / 10, -2 / 5]]  # 10 meet
    pairs = merge(maps, (1, 3), (1, 2), "released", crop_windows((1, 3), (1, 2), "pairs"))
    assert pairs.tolist() == [[5.0, 12.0, 5.0]]
    assert merge(np.ones((10, 1, 1)), (1, 5), (1, 1), "coverage").tolist() == [[1, 0, 1, 0, 1]]


def test_eight_bits_distances_and_core():
    assert rel.eight_bits([-3.0, 0.0, 20.6, 100.4, 255.0]).tolist() == [0, 0, 21, 100, 255]
    mask = np.random.default_rng(1).random((24, 31)) < 0.93
    exact = rel.exact_distances(mask)
    brute = [min(np.hypot(*(np.argwhere(~mask) - at).T)) for at in np.ndindex(mask.shape)]
    np.testing.assert_allclose(exact.ravel(), brute, rtol=1e-12)
    np.testing.assert_allclose(rel.opencv_distances(mask), exact, rtol=1e-6)
    for x2, y2, core in [(66, 76, (20, 30, 66, 76)), (68, 78, (21, 31, 67, 77))]:
        mask = painted((99, 99), (20, 30, x2, y2, 1)) > 0  # rims of 255 / 24 and of 255 / 25
        assert rel.rectangles(rel.core(mask)) == [core]


def test_rectangles_are_those_of_regions_and_holes():
    for seed, share in enumerate(np.linspace(0.2, 0.8, 20)):
        mask = np.random.default_rng(seed).random((15, 18)) < share
        gaps = components(np.pad(~mask, 1, constant_values=True), 4)[1:]  # the first is outside
        ends = [(np.min(cells, 0), np.max(cells, 0)) for cells in components(mask, 8)]
        ends += [(np.min(cells, 0) - 2, np.max(cells, 0)) for cells in gaps]  # in the padded frame
        assert sorted(rel.rectangles(mask)) == sorted((*a[::-1], *b[::-1]) for a, b in ends)


@pytest.mark.parametrize("distances", [rel.exact_distances, rel.opencv_distances])
def test_released_boxes_by_threshold(distances):
    cam = painted((60, 80), (10, 10, 49, 39, 21), (15, 15, 30, 29, 101), (20, 20, 24, 25, 255)) / 9
    boxes = [(10, 10, 49, 39), (15, 15, 30, 29), (20, 20, 24, 25)]
    assert rel.released_boxes(np.maximum(cam, 20 / 9), distances) == boxes  # 20 is not above 20
    assert rel.released_pair(cam, distances) == [(10, 10, 50, 40), (15, 15, 31, 30)]
    rng = np.random.default_rng(3)
    for cam in [cv2.GaussianBlur(rng.random((120, 90)), (0, 0), 6) ** 12 for _ in range(20)]:
        assert rel.released_boxes(cam) == rel.released_boxes(cam, distances)


def test_released_boxes_of_the_margin_and_of_nothing():
    edge = painted((40, 60), (0, 0, 20, 20, 1), (56, 0, 59, 39, 1))  # the second within the margin
    assert rel.released_boxes(edge) == [(0, 0, 20, 20)] * 2  # three times, and one is dropped
    assert rel.released_pair(edge) == [(0, 0, 21, 21)] * 2
    assert rel.released_boxes(painted((40, 60), (57, 0, 59, 39, 1))) == [(0, 0, 59, 39)]
    flat = [rel.released_boxes(np.full((40, 60), value))[0] for value in (0.2, 0.0, -1.0)]
    assert flat == [(0, 0, 54, 34), (0, 0, 59, 39), (0, 0, 59, 39)]


def test_a_box_that_follows_a_dropped_one_is_spared():
    whole, most, half = (0, 0, 9, 9), (0, 0, 9, 5), (0, 0, 9, 4)  # 100, 60 and 50 pixels
    assert rel.thinned([half, whole]) == [whole, half]
    assert rel.thinned([most, whole]) == [whole]
    assert rel.thinned([whole, whole, whole]) == [whole, whole]
    assert rel.thinned([most, whole, (0, 0, 8, 5)]) == [whole, (0, 0, 8, 5)]
    assert rel.thinned([(0, 5, 1, 6), (5, 0, 6, 1)]) == [(5, 0, 6, 1), (0, 5, 1, 6)]


def test_plain_boxes():
    cam = painted((9, 12), (0, 0, 1, 1, 3), (2, 2, 4, 4, 2), (6, 5, 11, 6, 3), (9, 5, 10, 5, 10))
    assert plain_boxes(cam) == [(6, 5, 11, 6), (9, 5, 10, 5)]  # 2 is not above 20% of 10
    cam[2:5, 2:5] = 2.5  # touches the first block by a corner: 13 pixels against 12
    assert plain_boxes(cam) == [(0, 0, 4, 4), (9, 5, 10, 5)]
    assert plain_boxes(painted((5, 9), (0, 1, 1, 1, 1), (3, 0, 4, 0, 1))) == [(3, 0, 4, 0)] * 2
    assert plain_boxes(-np.ones((5, 9))) == [(0, 0, 8, 4)] * 2


def test_guesses_verdict_and_seeds():
    five = [(label, box[0]) for label, box in guesses([7, 3, 5], np.arange(24).reshape(3, 2, 4))]
    assert five == [(7, 0), (7, 4), (3, 8), (3, 12), (5, 16)]
    guessed = [(1, (0, 0, 9, 9)), (2, (0, 0, 9, 3)), (1, (0, 0, 9, 3))]
    assert localization_right(guessed, 1, [(20, 20, 29, 29), (0, 0, 9, 4)], within=1)  # 1 / 2
    assert not localization_right(guessed, 1, [(0, 0, 9, 3)], within=2)  # 2 / 5, and a wrong label
    assert localization_right(guessed, 1, [(0, 0, 9, 3)], within=3)
    marks = seeds(np.arange(21.0).reshape(3, 7)).ravel()  # the quantiles are 6 and 19
    assert marks.tolist() == [0] * 6 + [-1] * 14 + [1]
    assert (seeds(np.ones((4, 4))) == -1).all()
