"""Text that comes from data is no markup in any format that is written."""

import csv
from pathlib import Path

import pytest
import torch

from gapnet.evaluation.class_errors import ClassErrors, write_classes
from gapnet.models import create
from gapnet.report.line_chart import line_chart
from gapnet.report.markdown import code, text, unmarked
from gapnet.report.model_card import model_card
from gapnet.report.paper_table import Line, Sheet, comma_separated, latex, markdown
from tests.report.pages import metric


@pytest.mark.parametrize("name", ["$\\frac$", "$x", "a_{b", "\x1b[31m", "<b>"])
def test_the_name_of_a_curve_is_no_formula(name: str) -> None:
    svg = line_chart({name: ([0, 1], [1, 2])}, x="x", y="y", title=name, marks={name: 0.5})
    assert svg.startswith("<svg")
    assert "\x1b" not in svg
    assert "<b>" not in svg


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a|b", r"a\|b"),
        ("`a`", r"\`a\`"),
        ("<b>", r"\<b>"),
        ("[a](javascript:x)", r"\[a](javascript:x)"),
        ("**a**", r"\*\*a\**"),
        ("__a__", r"\_\_a\_\_"),
        ("&lt;", r"\&lt;"),
        ("\\", r"\\"),
        ("a\nb\x1b", r"a b\\x1b"),
        ("my_data & AlexNet*, $5", "my_data & AlexNet*, $5"),
    ],
)
def test_markdown_shows_a_text_as_it_is(value: str, shown: str) -> None:
    assert text(value) == shown
    assert unmarked(shown) == value.replace("\n", " ").replace("\x1b", r"\x1b")


def test_code_in_markdown_may_have_ticks_and_bars() -> None:
    assert code("a `b` | c") == r"``a `b` \| c``"
    assert code("`") == "`` ` ``"


LABELS = ("top-1", "top-5")
BOTH = {"top-1": 1.0, "top-5": 2.0}
HOSTILE = "a|b`c` <script> \\ $x$ \x1b\nd"


def test_a_card_shows_names_as_text() -> None:
    network = create("tiny_gap", {"num_classes": 3})
    metrics = [metric(data=HOSTILE, split=HOSTILE, chosen_on=f"{HOSTILE} (oracle)")]
    card = model_card(network, {}, metrics)
    shown = r"a\|b\`c\` \<script> \\ \$x$ \\x1b d"
    assert f"On {shown}, {shown} split" in card
    assert f"| {shown} (oracle) |" in card


def test_a_table_in_markdown_keeps_its_cells() -> None:
    sheet = Sheet("T", LABELS, {}, [Line("a|b\nc", BOTH, deviates="<b>")])
    *_, row = markdown(sheet).strip().splitlines()
    assert row == r"| a\|b c | 1.00 | 2.00 |  |  | \<b> |"


def test_latex_has_neither_commands_nor_empty_lines_from_data() -> None:
    line = Line("\\input{x}\n\n$<|>", {}, deviates="")
    written = latex(Sheet("T", LABELS, {}, [line], [f"Of {text('a*b* | `c`')}.", code("x **y**")]))
    assert r"\textbackslash{}input\{x\}  \$\textless{}\textbar{}\textgreater{} &" in written
    assert r"\caption{T. Of a*b* \textbar{} `c`. x **y**}" in written
    assert "\n\n" not in written


def test_a_table_as_csv_is_quoted_for_spreadsheets() -> None:
    line = Line("=1+1", {"top-1": 1.0}, deviates="@x")
    sheet = Sheet("T", LABELS, {}, [line])
    assert comma_separated(sheet).splitlines()[1] == "'=1+1,,top-1,1.00,,,,,,,,'@x"


def test_the_file_of_classes_is_quoted_for_spreadsheets(tmp_path: Path) -> None:
    errors = ClassErrors(
        {"top1_error": torch.tensor([2, 4])}, {"top1_error": torch.tensor([0.5, 1])}
    )
    write_classes(errors, ["=1+1", "-2"], ["[/b]", "@SUM(1)"], tmp_path / "classes.csv")
    with (tmp_path / "classes.csv").open(newline="") as file:
        _, *rows = csv.reader(file)
    assert rows == [["'=1+1", "[/b]", "0.5", "2"], ["-2", "'@SUM(1)", "1.0", "4"]]
