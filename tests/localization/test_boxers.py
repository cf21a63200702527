import numpy as np
import pytest
import torch

from gapnet.errors import GapnetError
from gapnet.localization.boxers.threshold import Boxer, ThresholdBoxer
from gapnet.localization.guesses import OnePerClass
from tests.oracles import regions as oracle


def boxed(boxer: Boxer, maps: torch.Tensor, size: tuple[int, int]) -> list[list[int]]:
    heat = boxer.heat(maps, boxer.grid(size))
    return [boxer.boxes(each, None)[0].tolist() for each in heat]


@pytest.mark.parametrize("seed", range(12))
def test_the_paper_s_rule_equals_the_oracle(seed: int) -> None:
    torch.manual_seed(seed)
    maps = torch.randn(1, 5, 6, dtype=torch.float64).float()
    box = boxed(ThresholdBoxer(), maps, (31, 22))[0]
    assert tuple(box) == oracle.cam_box(maps[0].double().numpy(), (31, 22), cut=0.2)


def test_the_cut_is_a_share_of_the_maximum() -> None:
    maps = torch.randn(3, 4, 4)
    boxer = ThresholdBoxer()
    assert boxed(boxer, maps, (20, 20)) == boxed(boxer, maps * 1000, (20, 20))


def test_a_sweep_at_the_own_cut_is_the_rule() -> None:
    boxer = ThresholdBoxer(cut=0.35)
    (heat,) = boxer.heat(torch.randn(1, 4, 4), (20, 30))
    swept = boxer.sweep(heat, [0.1, 0.35, 0.8])
    assert swept.cuts.tolist() == [0, 1, 2]
    assert swept.boxes[1:2].tolist() == boxer.boxes(heat, None).tolist()


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_a_map_without_evidence_has_the_box_of_the_whole_view(value: float) -> None:
    assert boxed(ThresholdBoxer(), torch.full((1, 4, 4), value), (20, 30)) == [[0, 0, 29, 19]]


def test_a_map_of_one_cell_has_the_box_of_the_whole_view() -> None:
    assert boxed(ThresholdBoxer(), torch.ones(1, 1, 1), (20, 30)) == [[0, 0, 29, 19]]


def test_one_pixel_of_evidence_is_boxed_alone() -> None:
    heat = torch.full((1, 5, 5), -1.0)
    heat[0, 3, 1] = 2
    assert boxed(ThresholdBoxer(), heat, (5, 5)) == [[1, 3, 1, 3]]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_map_that_is_not_finite_is_an_error(value: float) -> None:
    with pytest.raises(ValueError, match="NaN or infinite"):
        boxed(ThresholdBoxer(), torch.full((1, 4, 4), value), (20, 30))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cut": 1.0}, "boxer.cut=1.0"),
        ({"cut": -0.1}, "boxer.cut=-0.1"),
        ({"connectivity": 6}, "boxer.connectivity=6: "),
        ({"cuts": 0}, "boxer.cuts=0: "),
        ({"largest": "area"}, "boxer.largest=area: "),
    ],
)
def test_a_rule_out_of_range_is_refused(wrong: dict, message: str) -> None:
    with pytest.raises(GapnetError, match=message):
        ThresholdBoxer(**wrong)


def test_guesses_are_the_first_classes_with_their_boxes() -> None:
    classes, boxes = torch.arange(12).view(2, 6), torch.rand(2, 6, 1, 4)
    labels, guessed = OnePerClass(classes=3)(classes, boxes)
    assert torch.equal(labels, classes[:, :3])
    assert torch.equal(guessed, boxes[:, :3, 0])


def test_more_than_five_guesses_are_refused() -> None:
    with pytest.raises(GapnetError, match=r"guesses\.classes=6: "):
        OnePerClass(classes=6)


def test_numpy_float_noise_at_the_cut_does_not_move_the_box() -> None:
    heat = torch.tensor([[[0.2, 1.0]]])
    assert boxed(ThresholdBoxer(cut=0.2), heat, (1, 2)) == [[1, 0, 1, 0]]
    assert np.float32(0.2) == heat[0, 0, 0].numpy()


@pytest.mark.parametrize("cut", [0.0, 0.2, 0.35])
@pytest.mark.parametrize("size", [(224, 224), (60, 90), (1, 7)])
def test_boxes_of_maps_are_those_of_scaled_maps(cut: float, size: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(0)
    boxer = ThresholdBoxer(cut=cut, tight=0.5)
    for scale in (1e-30, 1.0, 1e6):
        maps = torch.randn(4, 7, 8, generator=generator) * scale
        maps[1] = -maps[1].abs()
        expected = np.stack([boxer.boxes(heat, None) for heat in boxer.heat(maps, size)])
        assert np.array_equal(boxer.boxes_of_maps(maps, size), expected)
