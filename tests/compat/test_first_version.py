"""Files that the first version wrote: a run folder, its checkpoint, its predictions.

`first/` holds a finished training (2 epochs), one that SIGTERM interrupted in mid-epoch (at step 5
of 9) and the same one uninterrupted, of the stand-in data set, at commit 538cfc2.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from gapnet import load
from tests.cli.conftest import Command

FIRST = Path(__file__).parent / "first"
JOB = [
    *("data.size=48", "data.classes=3", "data.train=24", "data.val=12", "data.test=12"),
    *("model.input_size=48", "model.thin=8", "loader.num_workers=0", "loader.batch_size=8"),
    *("trainer.accelerator=cpu", "report.images=2", "trainer.log_every_n_steps=1"),
    *("trainer.max_epochs=3", "evaluate=false"),
]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIRST, tmp_path / "old"))


def figures(path: Path) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads(path.read_text())
    return read


def made_in(evaluations: Path) -> Path:
    """Find the evaluation that was made beside the old one."""
    (made,) = [path for path in evaluations.iterdir() if path.name != "old"]
    return made


def close_to(theirs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Allow for the rounding of another machine."""
    return [
        {
            key: pytest.approx(value, abs=1e-9) if isinstance(value, float) else value
            for key, value in figure.items()
        }
        for figure in theirs
    ]


def test_an_old_run_is_evaluated_as_it_was(gapnet: Command, runs: Path) -> None:
    outcome = gapnet("evaluate", f"run={runs / 'finished'}")
    assert outcome.status == 0, outcome.err
    made = made_in(runs / "finished" / "evaluations")
    assert figures(made / "metrics.json") == close_to(figures(FIRST / "finished/metrics.json"))


def test_old_predictions_are_scored_as_they_were(gapnet: Command, runs: Path) -> None:
    outcome = gapnet("evaluate", f"predictions={runs / 'finished'}")
    assert outcome.status == 0, outcome.err
    made = made_in(runs / "finished" / "evaluations")
    assert figures(made / "metrics.json") == close_to(figures(FIRST / "finished/metrics.json"))


def test_old_predictions_of_other_rules_are_refused(gapnet: Command, runs: Path) -> None:
    outcome = gapnet("evaluate", f"predictions={runs / 'finished'}", "boxer.cut=0.3")
    assert outcome.status == 1
    assert "run=" in outcome.err


def test_an_old_evaluation_that_was_interrupted_is_taken_up(gapnet: Command, runs: Path) -> None:
    old = runs / "finished" / "evaluations" / "old"
    (old / "metrics.json").unlink()
    outcome = gapnet(
        "evaluate", f"run={old.parents[1]}", "boxer.cut=0.3", f"folder={old}", "resume=true"
    )
    assert outcome.status == 0, outcome.err
    assert "predicting test: 0 images that are missing" in outcome.err
    theirs = figures(FIRST / "finished/evaluations/old/metrics.json")
    assert figures(old / "metrics.json") == close_to(theirs)


def test_an_old_training_goes_on_to_the_weights_of_an_uninterrupted_one(
    gapnet: Command, runs: Path
) -> None:
    outcome = gapnet("train", *JOB, "name=new", f"resume={runs / 'interrupted'}")
    assert outcome.status == 0, outcome.err
    (run,) = Path("runs/new").iterdir()
    ours, theirs = (
        torch.load(folder / "checkpoints/last.ckpt", weights_only=True)["state_dict"]
        for folder in (run, FIRST / "straight")
    )
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, atol=1e-4, rtol=1e-3)
    rows, straight = ((each / "logs/metrics.csv").read_text() for each in (run, FIRST / "straight"))
    assert len(rows.splitlines()) == len(straight.splitlines())


@pytest.mark.parametrize(
    ("change", "key"),
    [("optim.lr=0.1", "optim.lr=0.004, not 0.1"), ("seed=1", "seed=0, not 1")],
)
def test_an_old_training_goes_on_under_no_other_configuration(
    gapnet: Command, runs: Path, change: str, key: str
) -> None:
    outcome = gapnet("train", *JOB, change, f"resume={runs / 'interrupted'}")
    assert outcome.status == 1
    assert key in outcome.err


def test_an_old_checkpoint_is_loaded_and_trained_from(gapnet: Command, runs: Path) -> None:
    checkpoint = runs / "finished" / "checkpoints" / "best.ckpt"
    network = load(checkpoint)
    assert (network.name, network.classes) == ("tiny_gap", ("s00000000", "s00000001", "s00000002"))
    outcome = gapnet("train", *JOB, "trainer.max_epochs=1", f"model.weights={checkpoint}")
    assert outcome.status == 0, outcome.err


def test_an_old_run_is_exported_and_compared(gapnet: Command, runs: Path) -> None:
    run = runs / "finished"
    assert gapnet("export", f"run={run}", "to=safetensors").status == 0
    assert gapnet("compare", f"a={run}", f"b={run}").status == 0
