"""`gapnet concept` and `gapnet objects`."""

from pathlib import Path

import pytest

from gapnet.models import create
from gapnet.models.saved import save
from gapnet.transfer.svm import LinearSvm
from tests.cli.conftest import Command, assert_one_line
from tests.few import few
from tests.transfer.test_concept import PHRASE, write_squares
from tests.transfer.test_objects import write_scenes

QUICK = ["loader.num_workers=0", "loader.batch_size=8", "trainer.accelerator=cpu"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("network")
    save(create("tiny_gap", {"num_classes": 5, "input_size": 32, "width": 24}), folder)
    return f"checkpoint={folder / 'model.safetensors'}"


def test_a_phrase_gives_a_detector(gapnet: Command, checkpoint: str, tmp_path: Path) -> None:
    root = write_squares(tmp_path / "squares")
    data = ["data=captions", f"data.root={root}", f"data.phrase='{PHRASE}'", "pictures=2"]
    outcome = gapnet("concept", *data, checkpoint, *QUICK, "mining.start=20", "folder=found")
    assert outcome.status == 0, outcome.err
    assert "gain_of_mining" in outcome.out
    assert "found/report.html" in outcome.out
    assert LinearSvm.load(Path("found/svm.safetensors")).classes == (PHRASE,)
    assert len(list(Path("found/maps").iterdir())) == 2


@pytest.mark.slow
def test_a_scene_has_lists_of_objects(gapnet: Command, checkpoint: str, tmp_path: Path) -> None:
    root = write_scenes(tmp_path / "scenes", images=4)
    data = ["data=masked_scenes", f"data.root={root}", "pictures=1"]
    outcome = gapnet("objects", *data, checkpoint, *QUICK, "folder=found")
    assert outcome.status == 0, outcome.err
    assert {"bathroom:", "kitchen:", "yard:"} <= set(outcome.out.split())
    assert Path("found/objects.json").is_file()


@pytest.mark.parametrize(
    ("command", "arguments", "parts"),
    few(
        [
            ("concept", [], ["data=null"]),
            ("concept", ["data=captions", "data.root=."], ["data.phrase=null"]),
            ("concept", ["data=shapes", "mining.rounds=0"], ["mining.rounds=0"]),
            ("concept", ["data=shapes", "C=[1,2]"], ["C=[1, 2]"]),
            ("objects", [], ["data=null"]),
            ("objects", ["data=ade", "data.root=nowhere"], ["data.root=nowhere"]),
            ("objects", ["data=masked_scenes", "high=2"], ["high=2"]),
        ],
        2,
    ),
)
def test_wrong_arguments_are_one_line(
    gapnet: Command, checkpoint: str, command: str, arguments: list[str], parts: list[str]
) -> None:
    assert_one_line(gapnet(command, *QUICK, checkpoint, *arguments), *parts)
