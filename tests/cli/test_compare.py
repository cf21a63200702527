"""`gapnet compare`."""

import csv
import json
import re
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import Command, Trained, assert_one_line
from tests.few import few
from tests.rewritten import rewrite

FIGURE, NAME = "ilsvrc/gt_known_error", "ground-truth-known"


@pytest.fixture
def runs(tmp_path: Path, trained: Trained) -> tuple[Path, Path]:
    """Lay the trained run beside another, that has turned over the first images."""
    a, b = tmp_path / "a", tmp_path / "b's = c"
    for folder in (a, b):
        folder.mkdir()
        shutil.copy(trained.run / "verdicts.parquet", folder)
    change(b, lambda table: turned(table, rows=7))
    return a, b


def change(folder: Path, how: object) -> None:
    rewrite(folder / "verdicts.parquet", how)


def turned(table: pa.Table, *, rows: int) -> pa.Table:
    values = table[FIGURE].to_pylist()
    values[:rows] = [1 - value for value in values[:rows]]
    return table.set_column(table.column_names.index(FIGURE), FIGURE, pa.array(values))


def test_runs_are_compared_image_by_image(
    gapnet: Command, runs: tuple[Path, Path], tmp_path: Path, trained: Trained
) -> None:
    a, b = (pq.read_table(folder / "verdicts.parquet")[FIGURE].to_pylist() for folder in runs)
    ids = pq.read_table(runs[0] / "verdicts.parquet")["id"].to_pylist()
    only_a = [each for each, mine, theirs in zip(ids, a, b, strict=True) if mine < theirs]
    only_b = [each for each, mine, theirs in zip(ids, a, b, strict=True) if mine > theirs]
    outcome = gapnet("compare", "a", str(runs[1]), "to=apart.csv")
    assert outcome.status == 0, outcome.err
    row = next(line for line in outcome.out.splitlines() if line.startswith(f"│ {NAME} "))
    cells = [cell.strip() for cell in row.split("│")]
    assert cells[2:5] == [
        f"{100 * sum(a) / 12:.2f}%",
        f"{100 * sum(b) / 12:.2f}%",
        f"{100 * (sum(b) - sum(a)) / 12:+.2f}",
    ]
    assert "n = 12" in outcome.out
    (line,) = [line for line in outcome.out.splitlines() if line.startswith(f"{NAME}: only a")]
    assert re.findall(r"\d+", line) == [str(len(only_a)), str(len(only_b))]
    assert outcome.out.splitlines()[-1].endswith(": apart.csv")
    with (tmp_path / "apart.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["figure", "image", "right"]
    assert rows == [[FIGURE, each, "a"] for each in only_a] + [
        [FIGURE, each, "b"] for each in only_b
    ]
    assert len(rows) == 7


def test_the_figures_are_those_of_the_run(
    gapnet: Command, runs: tuple[Path, Path], trained: Trained
) -> None:
    outcome = gapnet("compare", "a", "a", "all_metrics=true")
    assert outcome.status == 0, outcome.err
    figures = json.loads((trained.run / "metrics.json").read_text())
    expected = [figure for figure in figures if "oracle" not in (figure["chosen_on"] or "")]
    rows = [line.split("│") for line in outcome.out.splitlines() if line.startswith("│")]
    rows = [cells for cells in rows if cells[2].strip()]  # without the second lines of names
    assert len(rows) == len(expected)
    for cells, figure in zip(rows, expected, strict=True):
        assert cells[2].strip() == cells[3].strip() == f"{100 * figure['value']:.2f}%"


def test_few_metrics_are_shown_and_the_table_and_two_lines_come_last(
    gapnet: Command, runs: tuple[Path, Path]
) -> None:
    lines = gapnet("compare", "a", str(runs[1])).out.splitlines()
    assert sum(line.startswith("│") and "%" in line for line in lines) == 4
    assert max(len(line) for line in lines if not line.startswith(("a: ", "b: "))) <= 80
    assert lines[-3].startswith("└")
    assert lines[-2].endswith("all_metrics=true")
    assert "to=FILE" in lines[-1]


@pytest.mark.slow
def test_an_evaluation_is_compared_with_its_run(gapnet: Command, trained: Trained) -> None:
    quick = ["report.images=0", "loader.num_workers=0", "folder=again"]
    assert gapnet("evaluate", f"run={trained.run}", "boxer.cut=0.6", *quick).status == 0
    outcome = gapnet("compare", f"a={trained.run}", "b=again", "resamples=10")
    assert outcome.status == 0, outcome.err
    assert "top-1 classification: only a is right" not in outcome.out


@pytest.mark.parametrize(
    ("arguments", "parts"),
    few(
        [
            ([], ["a=null: "]),
            (["a"], ["b=null: "]),
            (["a", "a", "a"], ["a a a: ", "3"]),
            (["a", "nix"], ["nix/verdicts.parquet: "]),
            (["a", "empty"], ["empty/verdicts.parquet: "]),
            (["a", "a", "resamples=0"], ["resamples=0: "]),
            (["a", "a", "resample=9"], ["resample: ", "'resamples'"]),
            (["a", "a", "to=nix/apart.csv"], ["to=nix/apart.csv: "]),
            (["a", "val"], ["'test'", "'val'"]),
        ],
        3,
    ),
)
def test_what_cannot_be_compared_is_told_in_one_line(
    gapnet: Command, runs: tuple[Path, Path], arguments: list[str], parts: list[str]
) -> None:
    for name in ("empty", "val"):
        shutil.copytree(runs[0], runs[0].with_name(name))
    Path("empty/verdicts.parquet").unlink()
    other = {b"split": b"val"}
    change(Path("val"), lambda table: table.replace_schema_metadata(table.schema.metadata | other))
    assert_one_line(gapnet("compare", *arguments), *parts)
