"""The figures that the paper reports in its tables 1 to 3, as data."""

import csv
from importlib.resources import files
from typing import NamedTuple

TOP1, TOP5 = "top1_error", "top5_error"


class Quoted(NamedTuple):
    """Hold a row of the paper: errors in percent; None where the paper gives none."""

    top1: float | None
    top5: float | None


def quoted(table: int) -> dict[str, Quoted]:
    """Read the rows of a table, by the paper's name of the method and its supervision, if told.

    >>> quoted(2)["GoogLeNet-GAP"]
    Quoted(top1=56.4, top5=43.0)
    >>> quoted(3)["OverFeat, full"]
    Quoted(top1=None, top5=29.9)
    """
    text = files("gapnet.report").joinpath("paper.csv").read_text(encoding="utf-8")
    rows = [row for row in csv.DictReader(text.splitlines()) if row["table"] == str(table)]
    return {_name(row): Quoted(_number(row[TOP1]), _number(row[TOP5])) for row in rows}


def _name(row: dict[str, str]) -> str:
    return f"{row['method']}, full" if row["supervision"] == "full" else row["method"]


def _number(text: str) -> float | None:
    return float(text) if text else None
