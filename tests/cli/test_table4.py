"""`gapnet table table=table4` and `gapnet transfer`."""

import csv
from pathlib import Path

import pytest

from gapnet.models import create
from gapnet.models.saved import save
from tests.cli.conftest import Command, assert_one_line
from tests.few import few
from tests.transfer.birds import write_birds

QUICK = ["loader.num_workers=0", "loader.batch_size=8", "trainer.accelerator=cpu"]
TABLE = ["table=table4", "data=cub", *QUICK, "report.images=0", "resamples=10"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("network")
    save(create("tiny_gap", {"num_classes": 5, "input_size": 32, "width": 24}), folder)
    return str(folder / "model.safetensors")


def test_the_commands_of_the_table_are_printed(
    gapnet: Command, checkpoint: str, tmp_path: Path
) -> None:
    given = f"checkpoints.googlenet_gap={checkpoint}"
    outcome = gapnet("table", *TABLE, f"data.root={tmp_path}", given, "--dry-run")
    assert outcome.status == 0, outcome.err
    lines = [line for line in outcome.out.splitlines() if "gapnet transfer" in line]
    regions = ["region=full", "region=crop", "region=crop", "region=box"]
    assert [next(word for word in line.split() if "region=" in word) for line in lines] == regions
    assert all("data=cub" in line and checkpoint in line for line in lines)


def test_the_table_does_not_train_networks_on_the_birds(gapnet: Command, tmp_path: Path) -> None:
    outcome = gapnet("table", *TABLE, f"data.root={tmp_path}")
    assert_one_line(outcome, "checkpoints.googlenet_gap", "=FILE")


@pytest.mark.slow
def test_the_table_is_filled_beside_the_paper_s_figures(
    gapnet: Command, checkpoint: str, tmp_path: Path
) -> None:
    root = write_birds(tmp_path / "birds")
    given = f"checkpoints.googlenet_gap={checkpoint}"
    outcome = gapnet("table", *TABLE, f"data.root={root}", given, "rows=[full,panda]")
    assert outcome.status == 0, outcome.err
    rows = list(csv.DictReader(Path("runs/tables/table4.csv").read_text().splitlines()))
    full = {row["figure"]: row for row in rows if row["method"] == "GoogLeNet-GAP on full image"}
    assert (full["accuracy"]["paper"], full["localization error"]["paper"]) == ("63.00", "59.00")
    assert all(row["ours"] and row["n"] == "9" for row in full.values())
    low, ours, high = (float(full["accuracy"][name]) for name in ("low", "ours", "high"))
    assert 0 <= low <= ours <= high <= 100
    (panda,) = (row for row in rows if row["method"].startswith("PANDA") and row["paper"])
    assert (panda["figure"], panda["paper"]) == ("accuracy", "76.40")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    few(
        [
            (["region=nose", "published=timm/test_convnext"], ["region=nose"]),
            (["data=cub", "published=timm/test_convnext", "weights=nowhere.pth"], ["nowhere.pth"]),
        ],
        1,
    ),
)
def test_wrong_arguments_of_transfer_are_one_line(
    gapnet: Command, arguments: list[str], parts: list[str]
) -> None:
    assert_one_line(gapnet("transfer", *QUICK, *arguments), *parts)


def test_table_5_takes_no_data_set_for_all_columns(gapnet: Command, checkpoint: str) -> None:
    given = f"checkpoints.googlenet_gap={checkpoint}"
    outcome = gapnet("table", "table=table5", "rows=[googlenet_gap]", given, "data.root=x")
    assert_one_line(outcome, "data.root=x", "paths.data=DIR")


@pytest.mark.slow
def test_table_5_fills_the_columns_whose_data_is_there(
    gapnet: Command, checkpoint: str, tmp_path: Path
) -> None:
    (tmp_path / "sets" / "scene15").mkdir(parents=True)
    given = [f"checkpoints.googlenet_gap={checkpoint}", f"paths.data={tmp_path}/sets"]
    arguments = ["table=table5", "rows=[googlenet_gap]", *given, *QUICK]
    outcome = gapnet("table", *arguments, "--dry-run")
    assert outcome.status == 0, outcome.err
    (line,) = (line for line in outcome.out.splitlines() if "gapnet transfer" in line)
    assert {"data=scene15", f"paths.data={tmp_path}/sets"} <= set(line.split())


@pytest.mark.slow
def test_what_table_5_lacks_is_said_below_it(
    gapnet: Command, checkpoint: str, tmp_path: Path
) -> None:
    given = f"checkpoints.googlenet_gap={checkpoint}"
    outcome = gapnet("table", "table=table5", "rows=[googlenet_gap]", given, *QUICK)
    assert outcome.status == 0, outcome.err
    assert "data/SUN397" in outcome.out
    assert "78.07" in outcome.out  # the paper's figure for Caltech256
    assert "89.85" in outcome.out
