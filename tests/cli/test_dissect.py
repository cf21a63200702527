"""`gapnet dissect`."""

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Command, Trained, assert_one_line
from tests.few import few

QUIET = ["loader.num_workers=0", "trainer.accelerator=cpu"]


def test_a_run_is_dissected_on_its_own_data(
    gapnet: Command, trained: Trained, tmp_path: Path
) -> None:
    run = shutil.copytree(trained.run, tmp_path / "run")  # other tests list the files of the run
    arguments = ["layers=[trunk.2,trunk]", "rotations=1", "images=2", *QUIET]
    outcome = gapnet("dissect", f"run={run}", *arguments)
    assert outcome.status == 0, outcome.err
    assert "trunk.2~rotation1" in outcome.out
    assert "Open" in outcome.out
    (folder,) = (run / "dissections").iterdir()
    described = json.loads((folder / "dissection.json").read_text())
    assert [layer["name"] for layer in described["layers"]] == [
        *("trunk.2", "trunk.2~rotation1"),
        *("trunk", "trunk~rotation1"),
    ]
    assert max(described["layers"][0]["shares"]) <= 0.005
    assert len(list((folder / "pictures" / "trunk").iterdir())) == 64
    page = (folder / "report.html").read_text()
    assert "pictures/trunk/unit-0000.jpg" in page
    assert not (folder / "maps").exists()
    recounted = gapnet("dissect", f"results={folder}/trunk-result.csv", "to=page.html")
    assert recounted.status == 0, recounted.err
    detectors = described["layers"][2]["detectors"]
    assert f" {detectors} (" in recounted.out
    assert Path("page.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "parts"),
    few(
        [
            (["layers=[trunk.9]"], ["layer='trunk.9'", "did you mean"]),
            (["layers=[head.linear]"], ["layers=head.linear", "not maps"]),
            (["layers=[]"], ["layers=[]"]),
            (["view=centre"], ["view", "view=whole"]),
            (["split=nowhere"], ["split"]),
            (["results=nowhere.csv"], ["results"]),
            (["data=broden", "data.root=nowhere"], ["data.root=nowhere"]),
        ],
        2,
    ),
)
def test_wrong_arguments_are_one_line(
    gapnet: Command, trained: Trained, arguments: list[str], parts: list[str]
) -> None:
    assert_one_line(gapnet("dissect", f"run={trained.run}", *QUIET, *arguments), *parts)
