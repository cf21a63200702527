"""Files that the first version wrote: a run folder, its checkpoint, its predictions.

`first/` holds a finished training (2 epochs), one that SIGTERM interrupted in mid-epoch (at step 5
of 9) and the same one uninterrupted, of the stand-in data set, at commit 538cfc2.
"""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from gapnet import load
from gapnet.evaluation.predictions import Predictions
from gapnet.evaluation.store import read_parts
from tests.cli.conftest import Command

FIRST = Path(__file__).parent / "first"
JOB = [
    *("data.scenes=sparse", "data.size=48", "data.classes=3"),
    *("data.train=24", "data.val=12", "data.test=12"),
    *("model.input_size=48", "model.thin=8", "loader.num_workers=0", "loader.batch_size=8"),
    *("trainer.accelerator=cpu", "report.images=2", "trainer.log_every_n_steps=1"),
    *("trainer.max_epochs=3", "evaluate=false"),
]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIRST, tmp_path / "old"))


def made_in(evaluations: Path) -> Path:
    """Return the evaluation that was made next to the old one."""
    (made,) = [path for path in evaluations.iterdir() if path.name != "old"]
    return made


def assert_same_metrics(ours: Path, theirs: Path) -> None:
    """Compare two metrics.json; values may differ by the rounding of another machine."""
    expected: list[dict[str, Any]] = json.loads(theirs.read_text())
    assert json.loads(ours.read_text()) == [
        {
            key: pytest.approx(value, abs=1e-9) if isinstance(value, float) else value
            for key, value in metric.items()
        }
        for metric in expected
    ]


def test_an_old_checkpoint_is_loaded() -> None:
    network = load(FIRST / "finished" / "checkpoints" / "best.ckpt")
    assert (network.name, network.classes) == ("tiny_gap", ("s00000000", "s00000001", "s00000002"))


def test_old_predictions_are_read() -> None:
    for split in ("val", "test"):
        predictions = Predictions(*read_parts(FIRST / "finished" / "predictions" / split))
        assert len(predictions) == 12
        assert predictions.about.split == split


@pytest.mark.slow
def test_an_old_run_is_evaluated_exported_and_compared(gapnet: Command, runs: Path) -> None:
    run = runs / "finished"
    outcome = gapnet("evaluate", f"run={run}")
    assert outcome.status == 0, outcome.err
    assert_same_metrics(made_in(run / "evaluations") / "metrics.json", run / "metrics.json")
    assert gapnet("export", f"run={run}", "to=safetensors").status == 0
    assert gapnet("compare", f"a={run}", f"b={run}").status == 0


@pytest.mark.slow
def test_old_predictions_are_scored_as_they_were(gapnet: Command, runs: Path) -> None:
    run = runs / "finished"
    outcome = gapnet("evaluate", f"predictions={run}", "boxer.cut=0.3")  # not how they were made
    assert outcome.status == 1
    assert "run=" in outcome.err
    outcome = gapnet("evaluate", f"predictions={run}")
    assert outcome.status == 0, outcome.err
    assert_same_metrics(made_in(run / "evaluations") / "metrics.json", run / "metrics.json")


@pytest.mark.slow
def test_an_old_evaluation_that_was_interrupted_is_taken_up(gapnet: Command, runs: Path) -> None:
    old = runs / "finished" / "evaluations" / "old"
    (old / "metrics.json").unlink()
    outcome = gapnet(
        "evaluate", f"run={old.parents[1]}", "boxer.cut=0.3", f"folder={old}", "resume=true"
    )
    assert outcome.status == 0, outcome.err
    assert "predicting test: 0 images that are missing" in outcome.err
    assert_same_metrics(old / "metrics.json", FIRST / "finished/evaluations/old/metrics.json")


@pytest.mark.slow
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
    rows, straight = (
        (folder / "logs/metrics.csv").read_text() for folder in (run, FIRST / "straight")
    )
    assert len(rows.splitlines()) == len(straight.splitlines())


@pytest.mark.slow
def test_an_old_training_does_not_go_on_under_another_configuration(
    gapnet: Command, runs: Path
) -> None:
    outcome = gapnet("train", *JOB, "optim.lr=0.1", "seed=1", f"resume={runs / 'interrupted'}")
    assert outcome.status == 1
    differing = re.findall(r"([\w.]+=[\w.]+), not", outcome.err)
    assert differing == ["optim.lr=0.004", "seed=0"]


@pytest.mark.slow
def test_an_old_checkpoint_is_trained_from(gapnet: Command, runs: Path) -> None:
    checkpoint = runs / "finished" / "checkpoints" / "best.ckpt"
    outcome = gapnet("train", *JOB, "trainer.max_epochs=1", f"model.weights={checkpoint}")
    assert outcome.status == 0, outcome.err
