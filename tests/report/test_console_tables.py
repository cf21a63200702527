"""What a command prints fits the screen, and no value is cut."""

import re
from collections.abc import Callable
from itertools import product

import pytest
from rich.table import Table

from gapnet.evaluation.compare import Difference
from gapnet.evaluation.score import Metric
from gapnet.report.console_tables import (
    class_table,
    difference_table,
    headline_table,
    protocol_table,
)
from gapnet.studies.search.report import trial_table
from gapnet.studies.sweep.summary import SweepGroup, summary_table
from gapnet.system.output import print_table

Capture = pytest.CaptureFixture[str]
CHOICES = {"gt_known_error": [("fixed", 0.2), ("val", 0.185), ("test (oracle)", 0.13)]}
CHOICES |= {f"top{k}_localization_error": [("fixed", 0.2)] for k in range(1, 6)}
CHOICES |= {f"top{k}_error": [(None, None)] for k in range(1, 6)}
CHOICES |= {"top1_localization_error/part": [("fixed", 0.2)], "px_ap": [(None, None)]}
CHOICES |= {"max_box_acc": [("val", 0.2)], "max_box_acc_v2": [("val", None), ("o (oracle)", None)]}
CHOICES |= {"whole_image_gt_known_error": [(None, None)]}
CHOICES |= {"centred_box_gt_known_error": [("test (oracle, side 0.60)", None)]}
DIGITS = re.compile(r"[+-]?\d+\.\d+%?")


def metric(name: str, value: float, *, by: str | None = None, cut: float | None = None) -> Metric:
    return Metric(name, value, 50_000, 0.99, 1.0, cut, by, "ilsvrc", "drawn", "test", "")


def all_metrics() -> list[Metric]:
    pairs = [(name, *choice) for name, choices in CHOICES.items() for choice in choices]
    return [
        metric(name, 0.9 + number / 1000, by=by, cut=cut)
        for number, (name, by, cut) in enumerate(pairs)
    ]


def spread() -> list[Metric]:
    protocols = ("ilsvrc", "psol", "tscam", "wsol", "adl")
    return [
        Metric(**vars(row) | {"protocol": protocol, "value": 1.0})
        for protocol, row in product(protocols, all_metrics())
    ]


def differences() -> list[Difference]:
    columns = ("top1_error", "top1_localization_error", "gt_known_error", "gt_known_error/val")
    return [
        Difference(f"ilsvrc/{name}", 1.0, 0.1234, -0.9, 0.8765, 50_000, [], []) for name in columns
    ]


def class_rows() -> list[tuple[str, ...]]:
    header = ("by ground-truth-known", "class", "n", "top-1 error", "top-1 localization")
    name = "a very long name of a class, of which there are many in ImageNet"
    row = ("hardest", name, "1,300", "100.0%", "100.0%", "100.0%")
    return [(*header, "ground-truth-known"), *[row] * 6]


def groups() -> list[SweepGroup]:
    names = ("top1_error", "top5_error", "top1_localization_error", "gt_known_error")
    overrides = "model=resnet50_gap optim.lr=0.0001 data.root=/some/long/path"
    return [SweepGroup(overrides, 3, dict.fromkeys(names, (1.0, 0.1234)))]


def trials() -> list[tuple[str, str, str, str]]:
    chosen = "optim.lr=0.00012345678 optim.weight_decay=1e-05 model.stride=8"
    return [(str(number), "lost, run again", "0.1234", chosen) for number in range(100)]


TABLES: dict[str, Callable[[], Table]] = {
    "headline": lambda: headline_table(all_metrics(), "a_network on some data, test split"),
    "protocols": lambda: protocol_table(spread(), "By protocol"),
    "classes": lambda: class_table(class_rows()),
    "compare": lambda: difference_table(differences(), "Errors of a and b"),
    "sweep": lambda: summary_table(groups(), "Sweep of 3 jobs, mean ± deviation over seeds"),
    "search": lambda: trial_table(trials(), "a_search: val/top1_error"),
}


def printed(table: Table, width: int, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    print_table(table)
    return capsys.readouterr().out


@pytest.mark.parametrize("width", [80, 60])
@pytest.mark.parametrize("name", TABLES)
def test_a_table_fits_the_screen_with_at_most_eight_rows(
    name: str, width: int, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = TABLES[name]()
    lines = printed(table, width, capsys, monkeypatch).splitlines()
    assert table.row_count <= 8
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize("width", [200, 80, 60, 30])
@pytest.mark.parametrize("name", TABLES)
def test_no_value_of_a_table_is_cut_at_any_width(
    name: str, width: int, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = TABLES[name]()
    text = printed(table, width, capsys, monkeypatch)
    for column in table.columns[1:]:
        for value in map(str, column.cells):
            assert all(text.count(part) for part in value.split("\n"))
    assert "…" not in text


def test_the_headline_names_tell_the_thresholds_apart() -> None:
    table = TABLES["headline"]()
    names = list(map(str, table.columns[0].cells))
    assert len(set(names)) == len(names) == 8
    known = [name for name in names if name.startswith("ground-truth-known")]
    assert [name.split(", ")[1] for name in known] == [
        "fixed threshold 20%",
        "frozen threshold 18.5% (val)",
        "oracle threshold 13%",
    ]


def test_the_headline_table_has_the_anchors_and_the_number_of_images(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {row.metric: f"{100 * row.value:.2f}%" for row in all_metrics()}
    text = printed(TABLES["headline"](), 80, capsys, monkeypatch)
    assert values["whole_image_gt_known_error"] in text
    assert values["centred_box_gt_known_error"] in text
    assert "n = 50,000" in text
    assert len(DIGITS.findall(text)) == 8 * 3 + 2 + 1  # of a threshold, 18.5%


def test_metrics_without_a_headline_are_shown_too() -> None:
    (name,) = headline_table([metric("top3_error", 0.5)], "a").columns[0].cells
    assert str(name) == "top-3 classification error"


def test_a_pipe_gets_eighty_columns(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr("os.get_terminal_size", _no_terminal)
    print_table(TABLES["headline"]())
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("\x1b" in line for line in lines)


def _no_terminal(_: int) -> None:
    raise OSError
