"""Values of the tables in the paper."""

import csv
from importlib.resources import files
from typing import NamedTuple


class PaperValues(NamedTuple):
    """A table as the paper prints it, in percent.

    Args:
        labels: of its columns, such as top-1.
        methods: values by name of a method, then by label; without cells that are empty there.
    """

    labels: tuple[str, ...]
    methods: dict[str, dict[str, float]]


def paper_values(table: int) -> PaperValues:
    """Return the values of a table; empty if the paper has no table of this number.

    >>> paper_values(2).methods["GoogLeNet-GAP"]
    {'top-1': 56.4, 'top-5': 43.0}
    >>> paper_values(3).methods["OverFeat, full"]
    {'top-5': 29.9}
    """
    text = files("gapnet.report").joinpath("paper.csv").read_text(encoding="utf-8")
    rows = [row for row in csv.DictReader(text.splitlines()) if row["table"] == str(table)]
    methods: dict[str, dict[str, float]] = {_name(row): {} for row in rows}
    for row in rows:
        if row["percent"]:
            methods[_name(row)][row["label"]] = float(row["percent"])
    return PaperValues(tuple(dict.fromkeys(row["label"] for row in rows)), methods)


def _name(row: dict[str, str]) -> str:
    """Return the name of a method, with its supervision if it is trained on boxes."""
    return f"{row['method']}, full" if row["supervision"] == "full" else row["method"]
