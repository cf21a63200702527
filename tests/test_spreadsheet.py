import csv
import io

import pytest

from gapnet.text.spreadsheet import write_rows


def read_back(*cells: object) -> list[str]:
    text = io.StringIO(newline="")
    write_rows(text, [cells])
    (row,) = csv.reader(io.StringIO(text.getvalue(), newline=""))
    return row


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", " =", "\t", "\r", "\uff1d"])
def test_a_text_that_begins_like_a_formula_is_quoted(begin: str) -> None:
    (cell,) = read_back(f"{begin}SUM(A1)")
    assert cell.startswith("'")
    assert cell.endswith("SUM(A1)")


@pytest.mark.parametrize("value", [-2, -2.5, 1e-9, "-2", "+0.5", "-1.5e-3", "", None])
def test_a_number_stays_a_number(value: object) -> None:
    assert read_back("x", value) == ["x", "" if value is None else str(value)]


@pytest.mark.parametrize("text", ["cat", "a=b", "a, b", 'a "b"', "[/b]"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert read_back(text) == [text]


def test_a_cell_has_no_control_characters() -> None:
    assert read_back("\x1b[31mred\nand") == ["\\x1b[31mred and"]
