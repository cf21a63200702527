"""Make the screenshots of docs/report.md: python experiments/pictures/report_page.py [RUN_A RUN_B].

Without runs of your own, it trains the small network twice on the stand-in. It needs Chromium, and
playwright from the dev extra.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, ViewportSize, sync_playwright

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDER = CHECKOUT / "docs" / "pictures"
QUALITY = 45
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")
EPOCHS = (4, 16)  # of the two trainings
SMALL = ["data.classes=6", "data.size=96", "data.train=480", "data.val=60", "data.test=120"]
TRAINING = [*SMALL, "model.input_size=96", "report.images=60", "logger=csv"]
DESKTOP, PHONE = ViewportSize(width=1180, height=1150), ViewportSize(width=390, height=1250)
GALLERY = "#gallery"  # the part of the page that a screenshot of the gallery shows


def report_pictures(runs: Sequence[Path] = ()) -> Iterator[tuple[str, bytes]]:
    """Yield the names of the screenshots and their JPEG files."""
    with TemporaryDirectory() as name:
        first, last = runs or [_train(Path(name), epochs) for epochs in EPOCHS]
        page, shared = Path(name, "comparison.html"), Path(os.path.commonpath((first, last)))
        folders = [str(run.relative_to(shared.parent)) for run in (first, last)]
        _gapnet(shared.parent, "report", *folders, f"to={page}")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
            report = last / "report.html"
            yield "report_desktop", _screenshot(browser, report, DESKTOP)
            yield "report_phone", _screenshot(browser, report, PHONE)
            yield "report_dark", _screenshot(browser, report, DESKTOP, dark=True, part=GALLERY)
            yield "report_comparison", _screenshot(browser, page, DESKTOP)
            browser.close()


def _train(home: Path, epochs: int) -> Path:
    """Train on the stand-in; return the run."""
    name = f"{epochs}_epochs"
    _gapnet(home, "train", *TRAINING, f"trainer.max_epochs={epochs}", f"name={name}")
    (run,) = (home / "runs" / name).iterdir()
    return run


def _gapnet(home: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "gapnet", *arguments]
    subprocess.run(command, cwd=home, check=True)


def _chromium() -> str:
    paths = [path for name in CHROMIUM if (path := shutil.which(name))]
    if not paths:
        sys.exit("experiments/pictures/report_page.py: needs Chromium (apt install chromium)")
    return paths[0]


def _screenshot(
    browser: Browser, file: Path, size: ViewportSize, *, dark: bool = False, part: str = "h1"
) -> bytes:
    """Return the page from a part on, in a window of this size."""
    page = browser.new_page(viewport=size, color_scheme="dark" if dark else "light")
    page.goto(file.resolve().as_uri())
    page.wait_for_selector(".card canvas")
    page.eval_on_selector(part, "node => node.scrollIntoView()")
    picture: bytes = page.screenshot(type="jpeg", quality=QUALITY)
    page.close()
    return picture


def write_report_pictures(runs: Sequence[Path] = ()) -> None:
    """Write the screenshots into docs/pictures."""
    for name, content in report_pictures(runs):
        path = FOLDER / f"{name}.jpg"
        path.write_bytes(content)
        print(path.relative_to(CHECKOUT), f"{len(content) / 1000:.0f} kB")


if __name__ == "__main__":
    write_report_pictures([Path(name).resolve() for name in sys.argv[1:]])
