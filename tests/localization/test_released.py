"""The released box program and the tight + loose heuristic, against the oracles."""

import numpy as np
import pytest
import torch
from PIL import Image

from gapnet.errors import GapnetError
from gapnet.localization.boxers.released import Rectangle, ReleasedBoxer, _loose_and_tight
from gapnet.localization.boxers.threshold import ThresholdBoxer
from gapnet.localization.guesses import OnePerClass, TightLoose
from gapnet.localization.localizer import Localizer
from gapnet.ops.maps import normalise
from gapnet.saliency.cam.cam import Cam
from tests.oracles import released, tight_loose


def smooth(seed: int, size: tuple[int, int]) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(6, 5)).astype(np.float32)
    image = Image.fromarray(values).resize(size[::-1], Image.Resampling.BICUBIC)
    return np.array(image)


def heat_of(values: np.ndarray) -> np.ndarray:
    return normalise(torch.from_numpy(values)[None])[0].numpy()


@pytest.mark.parametrize("size", [(64, 96), (120, 75), (9, 60), (37, 11)])
def test_loose_and_tight_are_the_oracle_s(size: tuple[int, int]) -> None:
    boxer, pairs = ReleasedBoxer(), 0
    for seed in range(25):
        values = smooth(seed, size)
        found = boxer.boxes(heat_of(values), None).tolist()
        expected = released.released_pair(heat_of(values), released.opencv_distances)
        assert found == [list(box) for box in expected]
        pairs += found[0] != found[1]
    assert pairs or min(size) < 12  # the tight box is another one somewhere


def test_distances_are_euclid_s() -> None:
    boxer = ReleasedBoxer()
    for seed in range(20):
        heat = heat_of(smooth(seed, (70, 90)))
        assert boxer.boxes(heat, None).tolist() == [list(b) for b in released.released_pair(heat)]


@pytest.mark.parametrize("values", [np.zeros((30, 40)), np.full((30, 40), -2.0)])
def test_a_map_without_evidence_has_the_whole_view_twice(values: np.ndarray) -> None:
    found = ReleasedBoxer().boxes(heat_of(values.astype(np.float32)), None)
    assert found.tolist() == [[0, 0, 39, 29]] * 2


def test_a_map_that_is_warm_everywhere_has_all_but_the_margin() -> None:
    found = ReleasedBoxer().boxes(np.ones((30, 40), np.float32), None)
    assert found.tolist() == [[0, 0, 35, 25]] * 2


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"levels": []}, r"boxer\.levels=\[\]: "),
        ({"levels": [20, 255]}, r"boxer\.levels=255: "),
        ({"margin": -1}, r"boxer\.margin=-1: "),
    ],
)
def test_a_program_out_of_range_is_refused(wrong: dict, message: str) -> None:
    with pytest.raises(GapnetError, match=message):
        ReleasedBoxer(**wrong)


@pytest.mark.parametrize("seed", range(12))
def test_plain_thresholds_give_the_oracle_s_loose_and_tight_box(seed: int) -> None:
    heat = heat_of(smooth(seed, (40, 50)))
    found = ThresholdBoxer(tight=110 / 255).boxes(heat, None).tolist()
    assert found == [list(box) for box in tight_loose.plain_boxes(heat)]


@pytest.mark.parametrize("classes", [1, 2, 3, 5])
def test_guesses_are_loose_tight_loose_tight_loose(classes: int) -> None:
    labels, boxes = torch.arange(classes)[None] + 7, torch.rand(1, classes, 2, 4).double()
    rule = TightLoose()
    got = rule(labels[:, : rule.classes], boxes[:, : rule.classes])
    expected = tight_loose.guesses(labels[0].tolist(), boxes[0].numpy())
    expected = expected[:5] if classes > 2 else expected
    assert got[0][0].tolist() == [label for label, _ in expected]
    assert got[1][0].tolist() == [list(box) for _, box in expected]


def test_the_heuristic_refuses_a_boxer_of_one_box() -> None:
    with pytest.raises(GapnetError, match="guesses=TightLoose: "):
        Localizer(Cam(), ThresholdBoxer(), TightLoose())
    assert Localizer(Cam(), ReleasedBoxer(), OnePerClass()).boxer.cut is None


@pytest.mark.parametrize("tight", [0.1, 1.0])
def test_a_tight_cut_below_the_loose_one_is_refused(tight: float) -> None:
    with pytest.raises(GapnetError, match=rf"boxer\.tight={tight}: "):
        ThresholdBoxer(tight=tight)


def test_of_boxes_that_follow_each_other_only_the_first_can_be_dropped() -> None:
    ranked = [Rectangle(0, 0, 20, 20), Rectangle(0, 0, 19, 19), Rectangle(0, 0, 18, 18)]
    assert _loose_and_tight(ranked) == (ranked[0], ranked[2])
    apart = [ranked[0], Rectangle(30, 0, 15, 15), ranked[2]]
    assert _loose_and_tight(apart) == (apart[0], apart[1])
    assert _loose_and_tight(ranked[:2]) == (ranked[0], ranked[0])


def test_noise_is_boxed_as_the_oracle_says() -> None:
    heat = np.random.default_rng(0).random((48, 48)).astype(np.float32)
    found = ReleasedBoxer().boxes(heat / heat.max(), None).tolist()
    expected = released.released_pair(heat / heat.max(), released.opencv_distances)
    assert found == [list(box) for box in expected]
