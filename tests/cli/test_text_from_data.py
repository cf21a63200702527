"""Names that look like markup, formulas or commands to a terminal are shown as they are."""

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from gapnet.text.plain_text import CONTROL
from tests.cli.conftest import QUICK, Command, Outcome, script

ID_OF = {  # class id, which is the name of a folder -> name of the class
    "=1+1": "[/b]",
    "[red]x": "[bold red]",
    "\x1b[31mred": "\x1b]0;title\x07 \u202egnp.exe",
    "a|b`c": "a|b`c\\ $\\frac$ :cat:",
    "<i>&": "</style><script>alert(1)</script>\"' onerror=1",
    "-2": "@SUM(1)",
}
SPLITS = {"train": 4, "val": 2, "test": 2}  # images of each class


def make(root: Path) -> list[str]:
    """Draw a data set of such names; give the arguments that read it."""
    random, ids = np.random.default_rng(0), []
    for split, count in SPLITS.items():
        for number, name in enumerate(ID_OF):
            for index in range(count):
                path = root / split / name / f"{split}[{index}]\x1b.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                pixels = random.integers(0, 128, (48, 48, 3), dtype=np.uint8)
                pixels[..., number % 3] += 40 * (1 + number // 3)
                Image.fromarray(pixels).save(path)
                ids.append(path.relative_to(root).as_posix())
    (root / "classes.txt").write_text("".join(f"{key} {name}\n" for key, name in ID_OF.items()))
    with (root / "boxes.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("image", "xmin", "ymin", "xmax", "ymax"))
        writer.writerows((each, 8, 8, 31, 31) for each in ids)
    return ["data=folder", f"data.root='{root}'", f"data.boxes='{root / 'boxes.csv'}'"]


class Run(NamedTuple):
    home: Path
    data: list[str]
    folder: Path
    outcome: Outcome


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Train on such names."""
    home = tmp_path_factory.mktemp("hostile")
    data = make(home / "data [b]|<i>")
    outcome = script(home, "train.py", *data, *QUICK, "model.input_size=48", "report.images=8")
    assert outcome.status == 0, outcome.err
    return Run(home, data, (home / "runs" / "latest").resolve(), outcome)


def check_plain(text: str) -> None:
    """Hold a text against what a terminal acts on; lines are allowed."""
    assert not CONTROL.search(text.replace("\n", ""))


@pytest.mark.slow
def test_the_doctor_shows_names_as_plain_text(gapnet: Command, tmp_path: Path) -> None:
    data = make(tmp_path / "data [b]")
    (tmp_path / "data [b]/test/=1+1/test[0]\x1b.png").write_bytes(b"no image")
    outcome = gapnet("doctor", *data, "workers=1")
    assert outcome.status == 1
    (line,) = [line for line in outcome.out.splitlines() if line.startswith("wrong")]
    assert line.startswith("wrong  test: 1 ")
    assert line.endswith("test/=1+1/test[0]\\x1b.png")
    assert "from \\x1b[31mred to a|b`c" in outcome.out
    check_plain(outcome.out + outcome.err)


@pytest.mark.slow
def test_an_error_about_a_name_is_one_plain_line(gapnet: Command, tmp_path: Path) -> None:
    data = make(tmp_path / "data")
    (tmp_path / "data/test/more\n\x1b[31m").mkdir()
    outcome = gapnet("train", *data, *QUICK, "model.input_size=48")
    assert outcome.status == 1
    assert outcome.err.count("\n") == 1
    assert "test/more \\x1b[31m" in outcome.err
    check_plain(outcome.err)


@pytest.mark.slow
def test_a_run_ends_well_and_prints_names_as_they_are(hostile: Run) -> None:
    for name in ("[/b]", "[bold red]", "@SUM(1)", "\\x1b]0;title\\x07 \\u202egnp.exe"):
        assert f"│ {name} " in hostile.outcome.out
    assert ":cat:" in hostile.outcome.out
    check_plain(hostile.outcome.out + hostile.outcome.err)
    check_plain((hostile.folder / "log.txt").read_text())


@pytest.mark.slow
def test_classes_are_quoted_for_spreadsheets_and_figures_are_numbers(hostile: Run) -> None:
    with (hostile.folder / "classes.csv").open(newline="") as file:
        rows = {row["class_id"]: row for row in csv.DictReader(file)}
    assert rows.keys() == {"'=1+1", "[red]x", "\\x1b[31mred", "a|b`c", "<i>&", "-2"}
    assert rows["-2"]["class_name"] == "'@SUM(1)"
    for row in rows.values():
        assert 0 <= float(row["top1_error"]) <= 1
        assert row["top1_error_n"] == "2"


class Page(HTMLParser):
    """Note the tags, the attributes and the text of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.slow
def test_names_are_no_markup_of_the_page(hostile: Run) -> None:
    page = Page(hostile.folder / "report.html")
    assert not page.tags & {"img", "i", "iframe", "object"}
    assert not any(each.startswith("on") for each in page.attributes)
    assert not any(":" in link for link in page.links if link != "data:,")
    assert "</style><script>alert(1)</script>\"' onerror=1" in page.text
    check_plain((hostile.folder / "report.html").read_text())


@pytest.mark.slow
def test_tags_of_tensorboard_are_plain(hostile: Run) -> None:
    tags = EventAccumulator(str(hostile.folder / "logs")).Reload().Tags()
    assert len(tags["images"]) == 8 + len([tag for tag in tags["images"] if tag[:9] == "pictures/"])
    check_plain("".join(tags["images"] + tags["scalars"]))


@pytest.mark.slow
def test_evaluating_again_and_comparing_end_well(
    gapnet: Command, hostile: Run, tmp_path: Path
) -> None:
    quick = ["report.images=0", "loader.num_workers=0", "folder='again [b]'"]
    outcome = gapnet("evaluate", f"run={hostile.folder}", "boxer.cut=0.6", "protocol=all", *quick)
    assert outcome.status == 0, outcome.err
    check_plain(outcome.out + outcome.err)
    outcome = gapnet("compare", str(hostile.folder), "again [b]", "to=apart.csv")
    assert outcome.status == 0, outcome.err
    assert "b: again [b]" in outcome.out
    check_plain(outcome.out + outcome.err)


@pytest.mark.slow
def test_the_model_card_shows_names_as_text(gapnet: Command, hostile: Run, tmp_path: Path) -> None:
    outcome = gapnet("export", f"run={hostile.folder}", "to=safetensors", "folder=net")
    assert outcome.status == 0, outcome.err
    card = (tmp_path / "net" / "README.md").read_text()
    assert r"On data \[b]\|\<i>, test split" in card
    header, *rows = [line for line in card.splitlines() if line.startswith("|")]
    bars = {len(re.findall(r"(?<!\\)\|", line)) for line in rows if "%" not in line}
    assert bars == {header.count("|"), 7}  # of the facts, and of the head of the figures
    assert json.loads((tmp_path / "net" / "config.json").read_text())["classes"] == sorted(ID_OF)


@pytest.mark.slow
@pytest.mark.parametrize("to", ["csv", "coco"])
def test_exported_predictions_are_not_quoted_and_can_be_read(
    gapnet: Command, hostile: Run, tmp_path: Path, to: str
) -> None:
    predictions = hostile.folder / "predictions" / "test"
    outcome = gapnet("export", f"predictions={predictions}", f"to={to}", "folder=out")
    assert outcome.status == 0, outcome.err
    (path,) = (tmp_path / "out").iterdir()
    if to == "csv":
        with path.open(newline="", encoding="utf-8") as file:
            assert {row["class"] for row in csv.DictReader(file)} <= set(ID_OF)
    arguments = [f"predictions={path}", *hostile.data, "folder=scored", "check_labels=false"]
    assert gapnet("evaluate", *arguments).status == 0
