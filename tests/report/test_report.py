from pathlib import Path

import pytest
import torch
from PIL import Image

from gapnet.evaluation.score import Metric
from gapnet.ops.overlay import PREDICTED, SIDE, TRUE, overlay
from gapnet.report.gallery import choose
from gapnet.report.page import Report, write_report
from gapnet.report.pictures import Picture, contact_sheet
from gapnet.report.plots import curves_svg, read_log
from gapnet.report.tables import HEADER, NAMES, table_row


def metric(**changes: object) -> Metric:
    plain = {"metric": "gt_known_error", "value": 0.0625, "n": 1600, "low": 0.05, "high": 0.075}
    named = {
        "threshold": 0.2,
        "chosen_on": "fixed",
        "protocol": "ilsvrc",
        "data": "drawn",
        "split": "test",
        "rules": "",
    }
    return Metric(**{**plain, **named, **changes})


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


@pytest.mark.slow
def test_the_same_curves_give_the_same_svg() -> None:
    def drawn() -> str:
        return curves_svg({"a": ([0, 1], [1, 2])}, x="step", y="loss", marks={"fixed": 0.2})

    assert drawn() == drawn()
    assert drawn().startswith("<svg")


def test_names_are_escaped_and_errors_are_explained(tmp_path: Path) -> None:
    report = Report(
        title="a <b> title",
        facts={"network": "tiny_gap"},
        metrics=[metric()],
        classes=[("by error", "class"), ("easiest", "cat & dog")],
        plots={},
        pictures=[picture(0), picture(1)],
        class_names=["cat & dog", "fish"],
        config="seed: 0",
    )
    write_report(report, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "a &lt;b&gt; title" in page
    assert "cat &amp; dog, taken for fish" in page
    assert page.count("picture right") == page.count("picture wrong") == 1
    assert NAMES["gt_known_error"] in page
