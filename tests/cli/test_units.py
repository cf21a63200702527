"""`gapnet units`."""

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Command, Trained, assert_one_line
from tests.few import few

QUIET = ["loader.num_workers=0", "trainer.accelerator=cpu"]


def test_units_of_a_run_are_shown_and_removed(
    gapnet: Command, trained: Trained, tmp_path: Path
) -> None:
    run = shutil.copytree(trained.run, tmp_path / "run")  # other tests list the files of the run
    outcome = gapnet("units", f"run={run}", "classes=[0,2]", "images=3", *QUIET)
    assert outcome.status == 0, outcome.err
    (folder,) = (run / "units").iterdir()
    first, second = json.loads((folder / "units.json").read_text())["classes"]
    assert (len(first["units"]), sorted(first["weights"], reverse=True)) == (3, first["weights"])
    assert set(second["accuracy"]) == {"own_before", "own_after", "others_before", "others_after"}
    pictures = {path.name for path in (folder / "pictures" / "features").iterdir()}
    shown = {*first["units"], *second["units"]}
    assert pictures == {f"unit-{unit:04d}.jpg" for unit in shown}


@pytest.mark.parametrize(
    ("arguments", "parts"),
    few(
        [
            (["classes=[nothing]"], ["classes=nothing"]),
            (["classes=[]"], ["classes=[]"]),
            (["classes=[0]", "units=9999"], ["units=9999"]),
            (["classes=[0]", "cut=2"], ["cut=2"]),
        ],
        1,
    ),
)
def test_wrong_arguments_are_one_line(
    gapnet: Command, trained: Trained, arguments: list[str], parts: list[str]
) -> None:
    assert_one_line(gapnet("units", f"run={trained.run}", *QUIET, *arguments), *parts)
