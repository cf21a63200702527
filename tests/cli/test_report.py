"""`gapnet report`."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gapnet.evaluation.compare import compare_verdicts
from gapnet.report.comparison import difference_cells
from tests.cli.conftest import Command, Trained, assert_one_line
from tests.rewritten import rewrite

KINDS = ("wrong_class", "several", "part", "more", "elsewhere")
JUDGING = "ilsvrc/top1_localization_error"


@pytest.fixture
def runs(tmp_path: Path, trained: Trained) -> tuple[str, str]:
    """Copy the trained run twice; the second is right on the first four images only."""
    for name in "ab":
        shutil.copytree(trained.run, tmp_path / name)
    rewrite(tmp_path / "b" / "verdicts.parquet", first_right)
    return "a", "b"


def first_right(table: pa.Table) -> pa.Table:
    for name, wrong in [(JUDGING, 1.0), *((f"{JUDGING}/{kind}", kind == "part") for kind in KINDS)]:
        values = [float(wrong) if row >= 4 else 0.0 for row in range(table.num_rows)]
        column = table.column_names.index(name)
        table = table.set_column(column, name, pa.array(values))
    return table


def data_of(page: Path) -> dict[str, Any]:
    (text,) = re.findall(r'id="gallery-data">(.*?)</script>', page.read_text())
    data: dict[str, Any] = json.loads(text)
    return data


def wrong(folder: Path) -> dict[str, float]:
    table = pq.read_table(folder / "verdicts.parquet")
    return dict(zip(table["id"].to_pylist(), table[JUDGING].to_pylist(), strict=True))


def test_a_page_compares_two_runs(
    gapnet: Command, runs: tuple[str, str], tmp_path: Path, trained: Trained
) -> None:
    outcome = gapnet("report", *runs, "images=6", "names=[before,after]")
    assert outcome.status == 0, outcome.err
    assert outcome.out.splitlines()[-1] == "report: comparison.html"
    page = tmp_path / "comparison.html"
    data = data_of(page)
    assert [source["name"] for source in data["sources"]] == ["before", "after"]
    check_numbers(page, tmp_path)
    check_choice(data, wrong(tmp_path / "a"), wrong(tmp_path / "b"))
    check_maps(data, data_of(trained.run / "report.html"))


def check_numbers(page: Path, folder: Path) -> None:
    paths = [folder / name / "verdicts.parquet" for name in "ab"]
    text = page.read_text()
    for row in compare_verdicts(*paths):
        assert "".join(f"<td>{cell}</td>" for cell in difference_cells(row)) in text


def check_choice(data: dict[str, Any], a: dict[str, float], b: dict[str, float]) -> None:
    """Check that images on which the runs disagree come first, and the verdicts of both."""
    ids = [image["id"] for image in data["images"]]
    differ = [image for image in a if a[image] != b[image]]
    assert len(ids) == 6
    assert set(ids[: len(differ)]) <= set(differ)
    for image in data["images"]:
        kinds = [explained["kind"] == "right" for explained in image["explained"]]
        assert kinds == [not a[image["id"]], not b[image["id"]]]


def check_maps(data: dict[str, Any], own: dict[str, Any]) -> None:
    """Check the images of the run's own report against those under both runs."""
    same = {image["id"]: image for image in own["images"]}
    common = [image for image in data["images"] if image["id"] in same]
    assert common
    for image in common:
        (expected,) = same[image["id"]].pop("explained")
        for explained in image.pop("explained"):
            assert {**explained, "kind": expected["kind"]} == expected
        assert image == same[image["id"]]


def without(name: str) -> Any:
    return lambda folder: shutil.rmtree(folder / name)


def other_data(folder: Path) -> None:
    rewrite(
        folder / "verdicts.parquet",
        lambda table: table.replace_schema_metadata(table.schema.metadata | {b"data": b"birds"}),
    )


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (without("predictions"), ["b: has no predictions of split 'test'; evaluate"]),
        (without("checkpoints"), ["run=b: no best.ckpt"]),
        (other_data, ["b/verdicts.parquet", "are of different images"]),
    ],
)
def test_a_run_that_cannot_be_compared_is_refused_in_one_line(
    gapnet: Command, runs: tuple[str, str], tmp_path: Path, change: Any, parts: list[str]
) -> None:
    change(tmp_path / "b")
    assert_one_line(gapnet("report", *runs), "gapnet report: ", *parts)
    assert not (tmp_path / "comparison.html").exists()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ([], "runs=[]: name two or more run folders"),
        (["a"], "runs=['a']: name two or more run folders"),
        (["a", "b/../a"], "is named twice"),
        (["a", "nosuch"], "nosuch/verdicts.parquet: no such file"),
        (["a", "b", "names=[x]"], "names=['x']: must be 2 different names"),
        (["a", "b", "to=nosuch/page.html"], "to=nosuch/page.html: there is no folder nosuch"),
        (["a", "b", "images=-1"], "images=-1"),
    ],
)
@pytest.mark.usefixtures("runs")
def test_wrong_arguments_are_refused_in_one_line(
    gapnet: Command, arguments: list[str], part: str
) -> None:
    assert_one_line(gapnet("report", *arguments), "gapnet report: ", part)
