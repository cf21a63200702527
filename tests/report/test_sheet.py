import csv
import io
import re

import pytest

from gapnet.evaluation.seeds import SeedMean, average_values
from gapnet.report.paper_table import Column, Line, Sheet, comma_separated, latex, markdown

ONE = SeedMean(0.4321, 0.40, 0.46, 1600, (0.4321,))
THREE = SeedMean(0.5, 0.45, 0.55, 1600, (0.4, 0.5, 0.6))
LABELS = ("top-1", "top-5")
COLUMNS = {
    "rule": Column("20% rule", LABELS),
    "frozen": Column("true class's box", ["error"]),
    "grabcut": Column("GrabCut", ["top-1"]),
}
FILLED = Line(
    "GAP_1 & more #2",
    {"top-1": 56.4, "top-5": 43.0},
    columns=["rule"],
    results={"rule": {"top-1": THREE, "top-5": ONE}},
    commit="abc1234",
    deviates="100% of it",
)
MISSING = Line("NIN", {"top-5": 54.19}, columns=["rule", "frozen"])
WITHOUT = Line("Ours", columns=["rule"], results={"rule": {"top-1": ONE, "top-5": None}})
PAPER_ONLY = Line("OverFeat, full", {"top-5": 29.9}, deviates="quoted from the paper")
SHEET = Sheet(
    "Table 9: 5% & more", LABELS, COLUMNS, [FILLED, MISSING, WITHOUT, PAPER_ONLY], ["A note_1."]
)
BARE = Sheet("Bare", LABELS, {}, [PAPER_ONLY])


def in_markdown(sheet: Sheet) -> list[list[str]]:
    lines = [each for each in markdown(sheet).splitlines() if each.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def in_latex(sheet: Sheet) -> list[list[str]]:
    rows = [each for each in latex(sheet).splitlines() if each.endswith(r" \\")]
    return [re.split(r" (?<!\\)& ", each.removesuffix(r" \\")) for each in rows]


def in_csv(sheet: Sheet) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(comma_separated(sheet)), strict=True))


def test_markdown_lays_ours_beside_the_paper_s() -> None:
    header, _, filled, *_ = in_markdown(SHEET)
    assert dict(zip(header, filled, strict=True)) == {
        "method": "GAP_1 & more #2",
        "paper, top-1": "56.40",
        "paper, top-5": "43.00",
        "20% rule, top-1": "50.00 (45.00 to 55.00; sd 10.00)",
        "20% rule, top-5": "43.21 (40.00 to 46.00)",
        "true class's box, error": "",
        "n": "1,600",
        "commit": "abc1234",
        "deviates": "100% of it",
    }


def test_a_figure_that_is_missing_yet_is_a_question_mark() -> None:
    assert in_markdown(SHEET)[3][1:6] == ["", "54.19", "?", "?", "?"]


def test_a_figure_that_is_not_asked_for_or_cannot_be_had_is_left_empty() -> None:
    assert in_markdown(SHEET)[4][3:6] == ["43.21 (40.00 to 46.00)", "", ""]


def test_a_quoted_row_has_the_paper_s_figures_alone() -> None:
    assert in_markdown(SHEET)[5][1:] == ["", "29.90", *[""] * 5, "quoted from the paper"]


def test_a_column_that_no_row_asks_for_is_left_out() -> None:
    assert not any("GrabCut" in cell for cell in in_markdown(SHEET)[0])


def test_markdown_has_the_title_and_the_notes() -> None:
    text = markdown(SHEET)
    assert text.startswith("**Table 9: 5% & more**\n\n| method |")
    assert text.endswith("|\n\nA note_1.\n")


@pytest.mark.parametrize("sheet", [SHEET, BARE], ids=["sheet", "bare"])
def test_rows_of_markdown_are_as_long_as_its_header(sheet: Sheet) -> None:
    header, *rows = in_markdown(sheet)
    assert {len(row) for row in rows} == {len(header)}


@pytest.mark.parametrize("sheet", [SHEET, BARE], ids=["sheet", "bare"])
def test_rows_of_latex_have_a_cell_for_each_column_of_the_tabular(sheet: Sheet) -> None:
    (columns,) = re.findall(r"\\begin\{tabular\}\{([lr]+)\}", latex(sheet))
    assert {len(row) for row in in_latex(sheet)} == {len(columns)}


def test_latex_says_what_markdown_says() -> None:
    header, _, *rows = in_markdown(SHEET)
    plain = [[re.sub(r"\\([%&_#])", r"\1", cell) for cell in row] for row in in_latex(SHEET)]
    assert plain == [header, *rows]


def test_latex_escapes_what_it_would_take_for_itself() -> None:
    text = latex(SHEET)
    assert r"GAP\_1 \& more \#2 & 56.40 & 43.00 &" in text
    assert r"& 100\% of it \\" in text
    assert r"\caption{Table 9: 5\% \& more. A note\_1.}" in text
    assert not re.search(r"(?<!\\)[%_#]", text)


def test_a_backslash_or_brace_of_a_note_does_not_reach_latex_as_such() -> None:
    (caption,) = re.findall(
        r"\\caption\{(.*)\}", latex(Sheet("T", LABELS, {}, [], [r"a~b {c} $d \e^"]))
    )
    told = r"a\textasciitilde{}b \{c\} \$d \textbackslash{}e\textasciicircum{}"
    assert caption == f"T. {told}"


def test_latex_rules_are_booktabs_in_their_order() -> None:
    assert re.findall(r"\\(\w+rule)\b", latex(SHEET)) == ["toprule", "midrule", "bottomrule"]


def test_latex_opens_and_closes_its_environments() -> None:
    found = re.findall(r"\\(begin|end)\{(\w+)\}", latex(SHEET))
    assert found == [("begin", "table"), ("begin", "tabular"), ("end", "tabular"), ("end", "table")]


def test_csv_has_a_row_for_each_figure_with_all_that_is_known_of_it() -> None:
    first, second, *_ = in_csv(SHEET)
    assert first == {
        "method": "GAP_1 & more #2",
        "column": "rule",
        "figure": "top-1",
        "paper": "56.40",
        "ours": "50.00",
        "low": "45.00",
        "high": "55.00",
        "n": "1600",
        "seeds": "3",
        "deviation": "10.00",
        "commit": "abc1234",
        "deviates": "100% of it",
    }
    assert (second["figure"], second["seeds"], second["deviation"]) == ("top-5", "1", "")


def test_csv_lists_what_is_asked_for_and_what_is_quoted() -> None:
    assert [(row["method"], row["column"], row["figure"]) for row in in_csv(SHEET)] == [
        ("GAP_1 & more #2", "rule", "top-1"),
        ("GAP_1 & more #2", "rule", "top-5"),
        ("NIN", "rule", "top-1"),
        ("NIN", "rule", "top-5"),
        ("NIN", "frozen", "error"),
        ("Ours", "rule", "top-1"),
        ("Ours", "rule", "top-5"),
        ("OverFeat, full", "", "top-5"),
    ]


def test_csv_leaves_figures_empty_that_there_are_not() -> None:
    missing, quoted = in_csv(SHEET)[4], in_csv(SHEET)[-1]
    assert {missing[key] for key in ("paper", "ours", "low", "high", "n", "seeds")} == {""}
    assert (quoted["paper"], quoted["ours"]) == ("29.90", "")
    assert quoted["deviates"] == "quoted from the paper"


def test_rows_of_csv_are_as_long_as_its_header() -> None:
    header, *rows = csv.reader(io.StringIO(comma_separated(SHEET)), strict=True)
    assert {len(row) for row in rows} == {len(header)}


def test_a_table_without_any_figure_is_laid_out() -> None:
    header, _, row = in_markdown(BARE)
    assert header == ["method", "paper, top-1", "paper, top-5", "n", "commit", "deviates"]
    assert row == ["OverFeat, full", "", "29.90", "", "", "quoted from the paper"]


SVM = Line(
    "SVM",
    {"accuracy": 67.8},
    columns=["cub"],
    results={"cub": {"accuracy": average_values([0.6, 0.7]), "AP": average_values([0.5], 20)}},
)
OTHER = Sheet(
    "Other metrics", ["accuracy"], {"cub": Column("linear SVM", ["accuracy", "AP"])}, [SVM]
)


def test_a_mean_without_interval_has_its_deviation_alone() -> None:
    header, _, row = in_markdown(OTHER)
    assert dict(zip(header, row, strict=True)) == {
        "method": "SVM",
        "paper, accuracy": "67.80",
        "linear SVM, accuracy": "65.00 (sd 7.07)",
        "linear SVM, AP": "50.00",
        "n": "20",
        "commit": "",
        "deviates": "",
    }


def test_csv_leaves_the_bounds_of_a_mean_without_interval_empty() -> None:
    accuracy, precision = in_csv(OTHER)
    keys = ("ours", "low", "high", "n", "seeds", "deviation")
    assert [accuracy[key] for key in keys] == ["65.00", "", "", "", "2", "7.07"]
    assert [precision[key] for key in keys] == ["50.00", "", "", "20", "1", ""]
