import numpy as np
import pytest
import torch

from gapnet.ops.boxes import area, centred, clip, iou, leave_window
from tests.oracles import boxes as oracle
from tests.oracles import scoring


def random_boxes(count: int, side: int) -> torch.Tensor:
    corners = torch.randint(side, (count, 2, 2))
    return torch.cat([corners.amin(1), corners.amax(1)], 1).double()


def test_inclusive_iou_counts_shared_pixels() -> None:
    ours, theirs = random_boxes(300, 12), random_boxes(300, 12)
    got = iou(ours, theirs, inclusive=True)
    for a, b, value in zip(ours.int().tolist(), theirs.int().tolist(), got.tolist(), strict=True):
        assert value == pytest.approx(oracle.iou_by_counting(a, b), abs=1e-12)


@pytest.mark.parametrize("inclusive", [True, False])
def test_iou_equals_the_oracle(inclusive: bool) -> None:  # noqa: FBT001
    ours, theirs = (
        torch.randn(300, 4, dtype=torch.float64),
        torch.randn(300, 4, dtype=torch.float64),
    )
    got = iou(ours, theirs, inclusive=inclusive)
    expected = [
        oracle.iou(a, b, inclusive=inclusive)
        for a, b in zip(ours.tolist(), theirs.tolist(), strict=True)
    ]
    np.testing.assert_allclose(got.numpy(), expected, atol=1e-12)


def test_iou_of_exactly_one_half_is_exact() -> None:
    whole, half = torch.tensor([0.0, 0.0, 9.0, 9.0]), torch.tensor([0.0, 0.0, 9.0, 4.0])
    assert iou(whole, half, inclusive=True).item() == 0.5


def test_a_box_turned_inside_out_has_no_area() -> None:
    assert area(torch.tensor([5.0, 5.0, 2.0, 9.0]), inclusive=True).item() == 0


def test_iou_of_two_empty_boxes_is_zero() -> None:
    point = torch.tensor([3.0, 3.0, 3.0, 3.0])
    assert iou(point, point, inclusive=False).item() == 0


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_centred_box_has_its_share_of_each_side(share: float) -> None:
    box = centred(torch.tensor([[30.0, 50.0]], dtype=torch.float64), share)[0]
    np.testing.assert_allclose(box.numpy(), scoring.centred_box((30, 50), share))


def test_the_full_grid_fills_its_window() -> None:
    window = torch.tensor([10.0, 20.0, 110.0, 70.0])
    box = leave_window(torch.tensor([0.0, 0.0, 24.0, 9.0]), window, (10, 25))
    assert box.tolist() == [10.0, 20.0, 109.0, 69.0]


def test_one_cell_per_pixel_is_only_moved() -> None:
    window = torch.tensor([5.0, 7.0, 15.0, 17.0])
    box = leave_window(torch.tensor([1.0, 2.0, 3.0, 4.0]), window, (10, 10))
    assert box.tolist() == [6.0, 9.0, 8.0, 11.0]


def test_clip_leaves_a_box_of_less_than_a_pixel_as_it_is() -> None:
    box = torch.tensor([29.5, 0.0, 28.75, -0.5])
    assert clip(box, torch.tensor([20, 30])).tolist() == box.tolist()


def test_a_box_beyond_the_image_has_the_pixel_at_the_border() -> None:
    box = clip(torch.tensor([40.0, -9.0, 50.0, -3.0]), torch.tensor([20, 30]))
    assert box.tolist() == [29.0, 0.0, 29.0, 0.0]


def test_clip_keeps_boxes_inside_the_image() -> None:
    box = clip(torch.tensor([-5.0, -5.0, 100.0, 100.0]), torch.tensor([20, 30]))
    assert box.tolist() == [0.0, 0.0, 29.0, 19.0]
