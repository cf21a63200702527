"""The page that compares runs."""

from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from gapnet.evaluation.agreement import Counts
from gapnet.evaluation.compare import Difference
from gapnet.report.comparison import Comparison, Pair, difference_bar, meaning, write_comparison
from gapnet.report.console_tables import difference_table
from gapnet.report.gallery_data import Gallery
from tests.report.pages import HOSTILE, gallery

RUNS = (HOSTILE, "after")


def difference(**changes: object) -> Difference:
    values = {
        "metric": "ilsvrc/gt_known_error",
        "a": 0.5,
        "b": 0.375,
        "low": -0.1875,
        "high": -0.0625,
        "n": 1600,
        "only_a": [],
        "only_b": [],
    }
    return Difference(**{**values, **changes})


DIFFERENCES = [
    difference(),
    difference(metric="ilsvrc/top1_error", b=0.5, low=-0.01, high=0.01),
    difference(metric="wsol/max_box_acc/val", a=0.625, b=0.875, low=0.125, high=0.3125),
]


def compared(count: int) -> Gallery:
    """Return images on which the second run is right, and the first only on every second one."""
    shown = gallery(count, RUNS)
    images = []
    for number, image in enumerate(shown.images):
        first, other = image.explained
        kind = "right" if number % 2 else "part"
        images.append(
            replace(image, explained=[replace(first, kind=kind), replace(other, kind="right")])
        )
    return replace(shown, images=images)


def comparison(**changes: object) -> Comparison:
    values = {
        "title": f"runs on {HOSTILE}",
        "subject": {"data": HOSTILE},
        "runs": [("run", "folder"), (HOSTILE, f"runs/{HOSTILE}"), ("after", "runs/b")],
        "pairs": [Pair(RUNS, DIFFERENCES, Counts(1000, 70, 30, 500))],
        "judged": "the first guess",
        "gallery": compared(4),
    }
    return Comparison(**{**values, **changes})


def written(folder: Path, **changes: object) -> Path:
    path = folder / "comparison.html"
    write_comparison(comparison(**changes), path)
    return path


class Cells(HTMLParser):
    """Texts of the cells of tables, by row, and the tags of the page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: list[str] = []
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not any(name.startswith("on") for name, _ in attrs)
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("page"))


def test_the_numbers_are_those_that_compare_prints(file: Path) -> None:
    console = Console(file=StringIO(), width=200, record=True)
    console.print(difference_table(DIFFERENCES, "title"))
    lines = [line for line in console.export_text().splitlines() if line.startswith("│")]
    assert len(lines) == len(DIFFERENCES)
    printed = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]
    rows = Cells(file).rows
    for cells in printed:
        assert any(row[1:6] == cells for row in rows)  # of the table of all metrics
    bars = [row[:6] for row in rows if row[5:6] in (["better"], ["no clear difference"])]
    assert bars == [[*printed[0], "better"], [*printed[1], "no clear difference"]]


def test_the_images_are_counted_by_who_is_right(file: Path) -> None:
    text = file.read_text()
    for words, count in [("only after is right", "30"), ("both are wrong", "500")]:
        assert f"<li>{words}: <b>{count}</b></li>" in text
    assert "both are right: <b>1,000</b>" in text


def test_names_are_text_and_no_markup(file: Path) -> None:
    tags = Cells(file).tags
    assert HOSTILE not in file.read_text()
    assert tags.count("img") == 0
    assert tags.count("script") == 2


def test_a_page_without_images_has_no_gallery(tmp_path: Path) -> None:
    text = written(tmp_path, gallery=None).read_text()
    assert 'id="gallery' not in text
    assert "after against" in text


@pytest.mark.parametrize(
    ("metric", "low", "high", "expected"),
    [
        ("ilsvrc/gt_known_error", -0.2, -0.1, "better"),
        ("ilsvrc/gt_known_error", 0.1, 0.2, "worse"),
        ("ilsvrc/gt_known_error", -0.1, 0.2, "no clear difference"),
        ("ilsvrc/gt_known_error", 0.0, 0.2, "no clear difference"),
        ("wsol/max_box_acc_v2/val", 0.1, 0.2, "better"),
        ("wsol/max_box_acc_v2/val", -0.2, -0.1, "worse"),
    ],
)
def test_a_run_is_better_only_if_the_interval_excludes_zero(
    metric: str, low: float, high: float, expected: str
) -> None:
    assert meaning(difference(metric=metric, low=low, high=high)) == expected


def test_a_bar_is_placed_on_the_axis_around_zero() -> None:
    bar = difference_bar(difference(), 0.25)  # from -18.75 to -6.25 of an axis from -25 to 25
    assert (bar.left, bar.width, bar.middle) == (12.5, 25, 25)
    pair = Pair(RUNS, DIFFERENCES, Counts(0, 0, 0, 0))
    assert pair.limit == 0.2
    assert len(pair.bars) == 2  # of the main protocol
