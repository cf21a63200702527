"""The paper's results, and the tables in conf/ that show ours beside them."""

from typing import Any

import pytest
import yaml

from gapnet.config.conf_folder import conf_folder
from gapnet.report.paper_values import paper_values

CONF = conf_folder()
NUMBERS = (1, 2, 3)


def read(name: str) -> dict[str, Any]:
    return yaml.safe_load((CONF / "table" / f"{name}.yaml").read_text())


TABLES = {number: read(f"table{number}") for number in NUMBERS}
NETWORKS = read("networks")["networks"]
PAPER = [(number, name) for number in NUMBERS for name in paper_values(number).methods]
ROWS = [(number, key) for number, table in TABLES.items() for key in table["rows"]]
CLAIMS = [(number, each) for number, table in TABLES.items() for each in table["claims"]]
COLUMNS = [(number, key) for number, table in TABLES.items() for key in table["columns"]]


def columns_of(number: int, row: str) -> list[str]:
    return TABLES[number]["rows"][row].get("columns", list(TABLES[number]["columns"]))


def metrics_of(number: int, column: str) -> list[Any]:
    table = TABLES[number]
    return list(table["columns"][column].get("metrics", table["metrics"]).values())


@pytest.mark.parametrize(
    ("number", "name", "errors"),
    [
        (1, "GoogLeNet-GAP", (35.0, 13.2)),
        (1, "VGGnet", (31.2, 11.4)),
        (1, "AlexNet*-GAP", (44.9, 20.9)),
        (1, "NIN", (41.9, 19.6)),
        (2, "GoogLeNet-GAP", (56.40, 43.00)),
        (2, "VGGnet-GAP", (57.20, 45.14)),
        (2, "Backprop on AlexNet", (65.17, 52.64)),
        (2, "GoogLeNet-GMP", (57.78, 45.26)),
        (3, "GoogLeNet-GAP (heuristics)", (None, 37.1)),
        (3, "GoogLeNet-GAP", (None, 42.9)),
        (3, "Backprop", (None, 46.4)),
        (3, "OverFeat, full", (None, 29.9)),
    ],
)
def test_errors_are_the_paper_s(
    number: int, name: str, errors: tuple[float | None, float | None]
) -> None:
    pairs = zip(("top-1", "top-5"), errors, strict=True)
    known = {label: error for label, error in pairs if error is not None}
    assert paper_values(number).methods[name] == known


@pytest.mark.parametrize(("number", "count"), [(1, 9), (2, 10), (3, 6)])
def test_a_table_has_as_many_rows_as_the_paper_s(number: int, count: int) -> None:
    assert len(paper_values(number).methods) == count
    assert paper_values(number).labels == ("top-1", "top-5")


def test_a_table_that_the_paper_does_not_have_has_no_values() -> None:
    assert paper_values(99) == ((), {})


@pytest.mark.parametrize(("number", "name"), PAPER)
def test_fewer_guesses_are_never_better(number: int, name: str) -> None:
    errors = paper_values(number).methods[name]
    assert errors["top-5"] < errors.get("top-1", 100)


@pytest.mark.parametrize(("number", "name"), PAPER)
def test_every_row_of_the_paper_has_one_row_here(number: int, name: str) -> None:
    assert [row.get("paper") for row in TABLES[number]["rows"].values()].count(name) == 1


@pytest.mark.parametrize(("number", "key"), ROWS)
def test_a_row_is_the_paper_s_or_has_a_name_of_its_own(number: int, key: str) -> None:
    row = TABLES[number]["rows"][key]
    assert row["paper"] in paper_values(number).methods if "paper" in row else row["name"]


@pytest.mark.parametrize(("number", "key"), ROWS)
def test_a_row_is_quoted_or_of_a_known_network(number: int, key: str) -> None:
    row = TABLES[number]["rows"][key]
    assert row.get("quoted") or row.get("network", key) in NETWORKS


@pytest.mark.parametrize(("number", "key"), ROWS)
def test_a_row_has_columns_that_there_are(number: int, key: str) -> None:
    assert set(columns_of(number, key)) <= set(TABLES[number]["columns"])


@pytest.mark.parametrize("number", NUMBERS)
def test_a_table_knows_its_number(number: int) -> None:
    assert TABLES[number]["number"] == number


@pytest.mark.parametrize(("number", "claim"), CLAIMS, ids=lambda each: str(each)[:60])
def test_a_claim_is_of_metrics_of_its_columns(number: int, claim: dict[str, Any]) -> None:
    for row, column in (claim["better"], claim["worse"]):
        assert not TABLES[number]["rows"][row].get("quoted")
        assert column in columns_of(number, row)
        assert claim["metric"] in metrics_of(number, column)


@pytest.mark.parametrize(("number", "column"), COLUMNS)
def test_a_column_is_of_metrics_that_an_evaluation_has(number: int, column: str) -> None:
    errors = {f"top{k}_{kind}" for k in (1, 5) for kind in ("error", "localization_error")}
    frozen = {"metric": "gt_known_error", "chosen_on": "val"}
    assert all(each == frozen or each in errors for each in metrics_of(number, column))


@pytest.mark.parametrize(("number", "key"), ROWS)
def test_the_arguments_of_a_row_are_choices_in_conf(number: int, key: str) -> None:
    row = TABLES[number]["rows"][key]
    told = list(row.get("arguments", ()))
    for column in columns_of(number, key):
        told += row.get("exceptions", {}).get(column, ())
        told += TABLES[number]["columns"][column]["arguments"]
    for group, _, choice in (each.partition("=") for each in told):
        assert choice.startswith("${") or (CONF / group / f"{choice}.yaml").is_file()


def test_table_4_has_the_paper_s_accuracies_in_rows_of_its_own() -> None:
    methods = paper_values(4).methods
    assert {name: values["accuracy"] for name, values in methods.items()} == {
        "GoogLeNet-GAP on full image": 63.0,
        "GoogLeNet-GAP on crop": 67.8,
        "GoogLeNet-GAP on BBox": 70.5,
        "Alignments": 53.6,
        "Alignments (BBox)": 67.0,
        "DPD (BBox+Parts)": 51.0,
        "DeCAF+DPD (BBox+Parts)": 65.0,
        "PANDA R-CNN (BBox+Parts)": 76.4,
    }
    rows = read("table4")["rows"]
    assert {row["paper"] for row in rows.values() if "paper" in row} == set(methods)
    assert {row.get("network", "googlenet_gap") for row in rows.values()} <= set(NETWORKS)


def test_table_5_has_the_paper_s_figures_for_each_data_set() -> None:
    values = paper_values(5)
    assert values.methods["gap from GoogLeNet-GAP"]["Caltech256"] == 78.07
    assert values.methods["fc7 from AlexNet"]["SUN397"] == 42.61
    assert values.methods["ave pool from GoogLeNet"]["Event8"] == 95.42
    assert [len(accuracies) for accuracies in values.methods.values()] == [8, 8, 8]
    table = read("table5")
    shown = [label for column in table["columns"].values() for label in column["metrics"]]
    assert {*shown, "SUN Attribute"} == {*values.labels}
    assert {row["paper"] for row in table["rows"].values()} == {*values.methods}
