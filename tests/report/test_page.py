"""The page as text: what it says, and what it may not contain."""

import json
import re
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest

from gapnet.report.page import SCRIPTS
from gapnet.report.page_numbers import bars, shares
from tests.report.pages import HOSTILE, NAMES, gallery, metric, written

LEAST_TEXT, LEAST_GRAPHIC = 4.5, 3.0  # contrast that WCAG 2 asks for at level AA
KINDS = ("right", "wrong_class", "part", "more", "several", "elsewhere")


class Page(HTMLParser):
    """Tags, attributes and text of a page; the text of scripts is apart."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.data = ""
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] != ["script"]:
            self.text += data
        elif data.startswith("{"):
            self.data = data


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return Page(written(tmp_path_factory.mktemp("page"), gallery=gallery(5)))


def test_names_are_text_and_no_markup(page: Page) -> None:
    assert page.tags.count("img") == 0
    assert page.tags.count("script") == 2
    assert not any(name.startswith("on") for name, _ in page.attributes)
    assert page.text.count(HOSTILE) >= 6
    assert HOSTILE not in page.source


def test_names_in_the_data_of_the_gallery_do_not_end_its_element(page: Page) -> None:
    data = json.loads(page.data)
    assert data["classes"] == NAMES
    assert "<" not in page.data


def test_the_page_asks_for_nothing_from_anywhere(page: Page) -> None:
    links = [value or "" for name, value in page.attributes if name in {"src", "href"}]
    assert links == ["data:,"]
    assert not re.search(r"https?://|@import|url\(|fetch\(|XMLHttpRequest", page.source)
    assert "default-src 'none'" in page.source


def test_control_characters_are_shown_as_escapes(tmp_path: Path) -> None:
    shown = Page(written(tmp_path, title="a\x1b[31m\u202e", config="a: \x1b\n")).source
    assert not set(shown) & {"\x1b", "\u202e"}
    assert r"a\x1b[31m\u202e" in shown


def test_a_page_without_gallery_curves_and_classes_has_no_such_sections(tmp_path: Path) -> None:
    shown = Page(written(tmp_path, classes=(), confused=()))
    for heading in ("Images", "Training", "Classes", "Most confused classes"):
        assert f"<h2>{heading}</h2>" not in shown.source
    assert "6.25%" in shown.text


def test_every_script_and_style_of_the_package_is_in_the_page(page: Page) -> None:
    folder = files("gapnet.report").joinpath("scripts")
    names = {file.name for file in folder.iterdir()}
    assert names == {"page.css", *(f"{name}.js" for name in SCRIPTS)}


def test_bars_show_the_baselines_beside_the_errors_of_the_true_class_s_box() -> None:
    whole = metric(metric="whole_image_gt_known_error", value=0.9, threshold=None, chosen_on=None)
    top1 = metric(metric="top1_error", value=0.1, threshold=None, chosen_on=None)
    first, known, baseline = bars([top1, metric(), whole])
    assert (first.name, first.anchors) == ("top-1 classification", {})
    assert known.anchors == {"the whole image as the box": 90}
    assert (known.value, known.interval) == (6.25, "5.00 to 7.50")
    assert baseline.baseline


def test_shares_add_up_to_all_images() -> None:
    kinds = {"wrong_class": 0.1, "several": 0.0, "part": 0.05, "more": 0.03, "elsewhere": 0.02}
    errors = [metric(metric="top1_localization_error", value=0.2)]
    errors += [
        metric(metric=f"top1_localization_error/{kind}", value=kinds[kind]) for kind in kinds
    ]
    assert sum(share.percent for share in shares(errors)) == pytest.approx(100)
    (right, wrong) = shares([metric(metric="top1_error", value=0.25)])
    assert (right.percent, wrong.percent) == (75, 25)


def luminance(colour: str) -> float:
    """Return the relative luminance of #rrggbb, by WCAG 2."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_have_the_contrast_of_wcag_aa(scheme: int) -> None:
    style = files("gapnet.report").joinpath("scripts", "page.css").read_text()
    block = style.split(":root")[1 + scheme]
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
    for ground in ("page", "panel"):
        for name in ("text", "quiet", "accent"):
            assert contrast(colours[name], colours[ground]) >= LEAST_TEXT, (name, ground)
        for name in (*KINDS, "line0", "line1", "line2", "line3"):
            assert contrast(colours[name], colours[ground]) >= LEAST_GRAPHIC, (name, ground)
