"""`gapnet neighbours`, `whiten`, `retrieve` and `embed`."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command, Trained, assert_one_line, run_in

RUNS = ["paths.runs=."]


@pytest.fixture(scope="module")
def folder(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write features of the stand-in data."""
    home = tmp_path_factory.mktemp("retrieval")
    run_in(home, "features", f"run={trained.run}", f"folder={home}/features", *RUNS)
    return home / "features"


@pytest.mark.slow
def test_the_data_set_is_that_of_the_features(gapnet: Command, folder: Path) -> None:
    outcome = gapnet("neighbours", f"features={folder}", "count=3", "pictures=2")
    assert outcome.status == 0, outcome.err
    (page,) = folder.glob("neighbours/*/neighbours.html")
    assert page.read_text().count("data:image/jpeg") == 2 * (1 + 3)
    assert str(page.name) in outcome.out
    outcome = gapnet("whiten", f"features={folder}", "components=4", f"folder={folder}/white")
    assert outcome.status == 0, outcome.err
    white = f"whitening={folder}/white/whitening.safetensors"
    outcome = gapnet("retrieve", f"features={folder}", white, "base_split=test")
    assert outcome.status == 0, outcome.err
    (metrics,) = folder.glob("retrieve/*/metrics.json")
    rows = json.loads(metrics.read_text())
    assert (rows[0]["metric"], rows[0]["n"]) == ("mean_average_precision", 12)
    outcome = gapnet("embed", f"features={folder}", "methods=pca", "pictures=0")
    assert outcome.status == 0, outcome.err
    assert len(list(folder.glob("embed/*/embedding.html"))) == 1


@pytest.mark.slow
def test_another_data_set_is_refused(gapnet: Command, folder: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert_one_line(gapnet("embed", f"features={folder}", f"data.root={empty}"), str(empty))


@pytest.mark.parametrize(
    ("command", "arguments", "part"),
    [
        ("neighbours", [], "features=null"),
        ("retrieve", ["features=nowhere"], "features=nowhere"),
        ("whiten", [], "features=null"),
        ("embed", ["features=nowhere", "perplexity=0"], "features=nowhere"),
    ],
)
def test_wrong_arguments_are_one_line(
    gapnet: Command, command: str, arguments: list[str], part: str
) -> None:
    assert_one_line(gapnet(command, *arguments), part)
