"""The page in a real browser: Chromium without a window."""

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gapnet.localization.boxers.threshold import ThresholdBoxer
from gapnet.report.gallery_image import to_levels
from tests.report.pages import HOSTILE, SIZE, gallery, written
from tests.report.test_comparison import compared
from tests.report.test_comparison import written as written_comparison

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM = next((path for name in NAMES if (path := shutil.which(name))), None)
OFFLINE = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
PHONE = {"width": 390, "height": 844}
COUNT = 30  # images of the page
pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(
        CHROMIUM is None or find_spec("playwright") is None,
        reason="needs a browser: apt install chromium, and pip install playwright",
    ),
]


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  (may not be installed)

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=OFFLINE)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shown = gallery(COUNT, ("cam", "grad_cam"))
    return written(tmp_path_factory.mktemp("page"), gallery=shown)


@pytest.fixture
def page(browser: "Browser", file: Path) -> "Iterator[Page]":
    """Open the page; in the end, nothing may have gone wrong or been asked for."""
    yield from opened(browser, file)


def opened(browser: "Browser", file: Path, **options: Any) -> "Iterator[Page]":
    tab, wrong = browser.new_page(**options), list[str]()
    tab.on("console", lambda message: wrong.append(message.text))
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("request", lambda request: wrong.append(request.url))
    tab.goto(file.as_uri())
    tab.wait_for_selector(".card")
    yield tab
    tab.close()
    assert [text for text in wrong if not text.startswith(("data:", file.as_uri()))] == []


def change(page: "Page", control: str, value: str) -> None:
    """Set a control, and wait until the page is drawn."""
    kind = page.eval_on_selector(control, "node => node.tagName")
    if kind == "SELECT":
        page.select_option(control, value)
    else:
        page.eval_on_selector(
            control,
            "(node, value) => { node.value = value;"
            " for (const type of ['input', 'change']) node.dispatchEvent(new Event(type)); }",
            value,
        )
    settle(page)


def settle(page: "Page") -> None:
    page.evaluate("() => new Promise((done) => setTimeout(done, 150))")


def ids(page: "Page") -> list[str]:
    return page.eval_on_selector_all(".card", "nodes => nodes.map((node) => node.dataset.id)")


def box(page: "Page", identity: str, view: int = 1) -> list[float]:
    text = page.eval_on_selector_all(
        f'[data-id="{identity}"] canvas', f"nodes => nodes[{view}].dataset.box"
    )
    return [float(value) for value in text.split(",")]


@pytest.mark.parametrize("cut", [35, 60])
def test_the_slider_s_box_is_the_library_s(page: "Page", cut: int) -> None:
    change(page, "#cut", str(cut))
    for number in (2, 7):
        image = gallery(COUNT).images[number]
        view = image.explained[0]
        heat = view.maps[view.classes.index(image.label)]
        values = to_levels(heat).values().float()[None]
        scaled = ThresholdBoxer().heat(values, (SIZE[1], SIZE[0]))[0]
        (expected,) = ThresholdBoxer().sweep(scaled, [cut / 100]).boxes
        assert np.allclose(box(page, f"image{number}"), expected)


def test_the_box_at_the_run_s_threshold_is_the_recorded_one(page: "Page") -> None:
    assert box(page, "image2") == [8, 9, 40, 50]
    change(page, "#cut", "50")
    assert box(page, "image2") != [8, 9, 40, 50]
    page.click("#own-cut")
    settle(page)
    assert box(page, "image2") == [8, 9, 40, 50]


def test_filters_show_the_images_of_a_verdict_of_a_class_and_of_a_range_of_scores(
    page: "Page",
) -> None:
    change(page, "#kind", "wrong_class")
    assert ids(page) == [f"image{number}" for number in range(1, COUNT, 4)]
    page.click("#clear")
    change(page, "#class", "2")
    assert ids(page) == [f"image{number}" for number in range(2, COUNT, 6)]
    page.click("#clear")
    change(page, "#score-from", "80")
    shown = gallery(COUNT).images
    assert ids(page) == [image.id for image in shown if image.explained[0].scores[0] > 0.8]


@pytest.mark.parametrize(("order", "sign"), [("overlap", 1), ("-overlap", -1)])
def test_images_are_sorted_by_overlap(page: "Page", order: str, sign: int) -> None:
    change(page, "#order", order)
    overlaps = {image.id: image.explained[0].overlap or 0 for image in gallery(COUNT).images}
    shown = [sign * overlaps[identity] for identity in ids(page)]
    assert shown == sorted(sign * value for value in overlaps.values())[: len(shown)]


def test_pages_show_all_images(page: "Page") -> None:
    seen = ids(page)
    while page.is_enabled("#next"):
        page.click("#next")
        settle(page)
        seen += ids(page)
    assert seen == [image.id for image in gallery(COUNT).images]


def test_the_map_of_another_class_and_both_methods_are_shown(page: "Page") -> None:
    captions = '[data-id="image2"] .view figcaption'
    first = page.locator(captions).all_inner_texts()
    assert [text.partition(",")[0] for text in first[1:]] == ["cam", "grad_cam"]
    assert "fish (true class)" in first[1]
    change(page, "#shown", "2")
    assert HOSTILE in page.locator(captions).all_inner_texts()[1]


def test_keys_enlarge_an_image_and_move_to_the_next(page: "Page") -> None:
    page.focus('[data-id="image1"]')
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_selector("#enlarged[open] canvas")
    assert page.inner_text("#enlarged-title") == "image2"
    page.keyboard.press("ArrowRight")
    settle(page)
    assert page.inner_text("#enlarged-title") == "image3"
    page.click("#enlarged .ranked li:nth-child(3) button")
    settle(page)
    assert page.input_value("#shown") == "3"
    page.keyboard.press("Escape")
    assert not page.is_visible("#enlarged")


def test_names_are_shown_as_text(page: "Page") -> None:
    assert page.locator("img").count() == 0
    assert page.title() != "run"
    assert HOSTILE in page.inner_text(".card >> nth=0")
    assert HOSTILE in page.inner_text("#class")


def test_every_canvas_says_what_it_shows(page: "Page") -> None:
    labels = page.eval_on_selector_all("canvas", "all => all.map((node) => node.ariaLabel)")
    assert all(labels)
    assert "map of cam, fish (true class), 23.0%, IoU 0.58 on image2" in labels


def test_tables_sort_by_number_and_show_examples(page: "Page") -> None:
    heading = page.locator("#classes th button").nth(1)
    numbers = "rows => rows.map((row) => row.cells[1].textContent)"
    heading.click()
    heading.click()
    column = page.eval_on_selector_all("#classes tbody tr", numbers)
    assert column == ["5,000", "4,000", "3,000", "2,000", "1,000", "0"]
    page.click(".examples button")
    settle(page)
    assert ids(page) == ["image1", "image13", "image25"]


@pytest.fixture
def comparison(browser: "Browser", tmp_path: Path) -> "Iterator[Page]":
    """Open a page that compares runs; the first is right on every second image only."""
    yield from opened(browser, written_comparison(tmp_path, gallery=compared(8)), viewport=PHONE)


def test_a_comparison_filters_by_agreement_and_names_both_predictions(comparison: "Page") -> None:
    menu = comparison.locator("#agreement option").all_text_contents()
    assert menu[1:] == [
        "the runs disagree (4)",
        f"only {HOSTILE} is right (0)",
        "only after is right (4)",
        "all are right (4)",
        "all are wrong (0)",
    ]
    change(comparison, "#agreement", "1")
    assert ids(comparison) == [compared(8).images[number].id for number in (0, 2, 4, 6)]
    verdicts = comparison.locator(".card >> nth=1 >> .verdict").all_inner_texts()
    assert [text.partition(":")[0] for text in verdicts] == [HOSTILE, "after"]
    assert all(text.endswith("predicted with 23.0%") for text in verdicts)


def test_an_enlarged_image_of_a_comparison_has_the_ranking_of_each_run(comparison: "Page") -> None:
    comparison.focus(".card >> nth=1")
    comparison.keyboard.press("Enter")
    comparison.wait_for_selector("#enlarged[open] canvas")
    assert comparison.locator("#enlarged .ranked").count() == 2
    assert comparison.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_the_report_of_one_run_has_no_menu_of_runs(page: "Page") -> None:
    assert not page.is_visible("#agreement")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_the_page_without_scrolling_sideways(
    browser: "Browser", file: Path, scheme: str
) -> None:
    for page in opened(browser, file, viewport=PHONE, color_scheme=scheme):
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width == PHONE["width"]


def test_images_without_boxes_are_judged_by_their_class(browser: "Browser", tmp_path: Path) -> None:
    file = written(tmp_path, gallery=gallery(4, boxed=False))
    for page in opened(browser, file):
        right, wrong = page.locator(".card").all_inner_texts()[:2]
        assert "✓ right" in right
        assert "✗ wrong class" in wrong
        assert "IoU" not in right + wrong
        assert page.locator('[data-id="image1"] canvas').count() == 3


def test_500_images_are_under_15_megabytes_and_open_within_2_seconds(
    browser: "Browser", tmp_path: Path
) -> None:
    file = written(tmp_path, gallery=gallery(500))
    assert file.stat().st_size < 15e6
    for page in opened(browser, file):
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        metrics = session.send("Performance.getMetrics")["metrics"]
        seconds = {metric["name"]: metric["value"] for metric in metrics}
        assert seconds["ProcessTime"] < 2  # of the processor: other tests run beside this one
