from pathlib import Path

import pytest
import torch
from PIL import Image

from gapnet.ops.overlay import PREDICTED, SIDE, TRUE, overlay
from gapnet.report.gallery import choose
from gapnet.report.line_chart import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, line_chart, ticks
from gapnet.report.pictures import Picture, contact_sheet
from gapnet.report.plots import read_log, training_plots
from gapnet.report.tables import HEADER, table_row
from tests.report.pages import metric


def test_a_row_says_all_of_a_figure() -> None:
    assert table_row(metric()) == (
        "ground-truth-known localization error",
        "6.25%",
        "5.00 to 7.50",
        "1,600",
        "20%",
        "fixed",
    )
    assert len(HEADER) == len(table_row(metric()))


def test_a_figure_without_threshold_has_none_in_its_row() -> None:
    assert table_row(metric(metric="top1_error", threshold=None, chosen_on=None))[-2:] == ("", "")


def grey(size: tuple[int, int]) -> Image.Image:
    return Image.new("RGB", size, (128, 128, 128))


def test_an_overlay_is_hot_where_the_map_is_high_and_boxes_have_their_colours() -> None:
    heat = torch.zeros(4, 4)
    heat[0, 0] = 1
    window = torch.tensor([0.0, 0.0, 56.0, 56.0])
    picture = overlay(
        grey((56, 56)), heat, window, predicted=(28, 28, 40, 40), true=[(4, 28, 20, 40)]
    )
    assert picture.size == (SIDE, SIDE)
    hot, cold = picture.getpixel((20, 20)), picture.getpixel((200, 200))
    assert hot[0] > hot[2]
    assert cold[2] > cold[0]
    scale = SIDE // 56
    assert picture.getpixel((28 * scale, 34 * scale)) == PREDICTED
    assert picture.getpixel((4 * scale, 34 * scale)) == TRUE


def test_what_the_view_did_not_show_stays_cold() -> None:
    window = torch.tensor([14.0, -14.0, 42.0, 70.0])  # a column in the middle, reaching beyond
    picture = overlay(grey((56, 56)), torch.ones(2, 2), window, predicted=(0, 0, 1, 1), true=[])
    left, middle = picture.getpixel((20, 100)), picture.getpixel((112, 100))
    assert left[2] > left[0]
    assert middle[0] > middle[2]


def test_an_oblong_image_keeps_its_aspect() -> None:
    window = torch.tensor([0.0, 0.0, 100.0, 50.0])
    picture = overlay(grey((100, 50)), torch.ones(2, 2), window, predicted=(0, 0, 9, 9), true=[])
    assert picture.size == (SIDE, SIDE // 2)


@pytest.mark.parametrize(
    ("wrong", "count", "expected"), [(10, 6, 3), (1, 6, 1), (0, 6, 0), (20, 6, 6), (18, 6, 4)]
)
def test_half_of_the_pictures_are_wrong_ones_as_far_as_there_are(
    wrong: int, count: int, expected: int
) -> None:
    right = torch.arange(20) >= wrong
    rows = choose(right, count)
    assert len(rows) == len(set(rows)) == count
    assert sum(not right[row] for row in rows) == expected
    assert rows == choose(right, count)


def test_at_most_half_of_the_wrong_pictures_are_examples() -> None:
    right = torch.arange(20) >= 10
    assert set(choose(right, 8, [1, 2, 3])) >= {1, 2}
    assert sum(not right[row] for row in choose(right, 8, [1, 2, 3])) == 4


def picture(number: int) -> Picture:
    return Picture(f"image{number}", grey((20, 10)), 0, number % 2, 0.5, right=number % 2 == 0)


def test_a_contact_sheet_has_room_for_all() -> None:
    assert contact_sheet([picture(0)] * 5, columns=3, gap=2).size == (3 * 22 - 2, 2 * 12 - 2)
    assert contact_sheet([picture(0)], columns=3, gap=2).size == (20, 10)


def test_a_log_gives_each_quantity_with_its_steps(tmp_path: Path) -> None:
    log = "epoch,step,train/loss,val/top1_error\n0,9,2.5,\n0,9,,0.75\n1,19,1.5,\n"
    (tmp_path / "metrics.csv").write_text(log)
    curves = read_log(tmp_path / "metrics.csv")
    assert curves == {"train/loss": ([9, 19], [2.5, 1.5]), "val/top1_error": ([9], [0.75])}


def test_the_ticks_of_an_axis_are_round_numbers() -> None:
    assert ticks(0, 1.05) == [0, 0.5, 1]
    assert ticks(0, 0.047) == [0, 0.01, 0.02, 0.03, 0.04]
    assert ticks(9, 1200) == [500, 1000]


def test_a_chart_s_points_lie_where_their_values_are() -> None:
    svg = line_chart({"a": ([0, 1], [0, 1])}, x="step", y="loss", title="t", marks={"fixed": 0.5})
    left, right, low = LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM
    high = round(low - (low - TOP) / 1.05, 1)
    assert f'points="{left:.1f},{low:.1f} {right:.1f},{high}"' in svg
    assert f'd="M{(left + right) / 2} {TOP}V{low}"' in svg


def test_marks_at_one_threshold_share_a_line() -> None:
    marks = {"fixed 20%": 0.2, "frozen 20%": 0.2, "oracle 13%": 0.13}
    svg = line_chart({"a": ([0, 1], [0, 1])}, x="x", y="y", title="t", marks=marks)
    assert svg.count('class="mark ') == 2
    assert "fixed 20%, frozen 20%" in svg


def test_curves_of_one_point_are_not_drawn(tmp_path: Path) -> None:
    log = tmp_path / "metrics.csv"
    log.write_text("epoch,step,train/loss,val/top1_error\n0,9,2.5,\n0,9,,0.75\n")
    assert training_plots(log) == {}
    log.write_text(log.read_text() + "1,19,1.5,\n")
    assert list(training_plots(log)) == ["Loss"]
