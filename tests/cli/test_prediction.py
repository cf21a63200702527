"""Prediction that is interrupted, shared out, or large."""

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.cli.conftest import CHECKOUT, Command, Trained, run_in, script
from tests.few import few

# Flushes each batch, and ends itself as a kill -9 does: at a flush before it is renamed, or after.
KILLED = """
import os, signal, sys
from pathlib import Path
from gapnet.cli.main import run
from gapnet.evaluation import store
store.FLUSH_EVERY = 1
left, when = {left}, {when!r}
def die():
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
whole = Path.replace
def replace(self, target):
    if when == "before" and self.name.endswith("parquet.unfinished"):
        die()
    done = whole(self, target)
    if when == "after" and self.name.endswith("parquet.unfinished"):
        die()
    return done
Path.replace = replace
sys.argv = ["evaluate.py", *sys.argv[1:]]
run("evaluate")
"""
BATCHES = 8  # of two splits of 12 images, 3 at a time


def arguments(trained: Trained, folder: Path) -> list[str]:
    return [
        f"run={trained.run}",
        f"folder={folder}",
        "loader.batch_size=3",
        "report.images=0",
        "trainer.accelerator=cpu",
    ]


def interrupt(trained: Trained, home: Path, folder: Path, *, left: int, when: str) -> int:
    """Evaluate, and be killed; give the exit status."""
    code = KILLED.format(left=left, when=when)
    command = [sys.executable, "-c", code, *arguments(trained, folder)]
    return subprocess.run(command, cwd=home, capture_output=True, check=False).returncode


@pytest.fixture(scope="module")
def whole(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Evaluate without an interruption."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    run_in(trained.home, "evaluate", *arguments(trained, folder))
    return folder


@pytest.mark.parametrize(
    "seed",
    [
        *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2)),
        *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(2, 12)),
    ],
)
def test_a_killed_prediction_goes_on_and_gives_the_same_metrics(
    trained: Trained, whole: Path, tmp_path: Path, gapnet: Command, seed: int
) -> None:
    rng, folder = random.Random(seed), tmp_path / "run"
    left, when = rng.randrange(BATCHES), rng.choice(["before", "after"])
    status = interrupt(trained, tmp_path, folder, left=left, when=when)
    assert status == -9
    assert not (folder / "metrics.json").exists()
    outcome = gapnet("evaluate", *arguments(trained, folder), "resume=true")
    assert outcome.status == 0, outcome.err
    for name in ("metrics.json", "classes.csv"):
        assert (folder / name).read_bytes() == (whole / name).read_bytes()
    predicted = sum(map(int, re.findall(r"predicting \w+: (\d+) images", outcome.err)))
    assert (predicted < 2 * 12) == ((left, when) != (0, "before"))


@pytest.mark.slow
def test_what_is_complete_is_not_predicted_again(
    trained: Trained, tmp_path: Path, gapnet: Command
) -> None:
    again = [*arguments(trained, tmp_path / "run"), "resume=true"]
    assert gapnet("evaluate", *again).status == 0
    parts = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("part-*")}
    outcome = gapnet("evaluate", *again, "trainer.devices=1", "loader.num_workers=1")
    assert outcome.status == 0, outcome.err
    assert "predicting test: 0 images" in outcome.err
    assert parts == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("part-*")}


@pytest.mark.parametrize(
    ("argument", "parts"),
    few(
        [
            ("boxer.cut=0.3", ["boxer.cut=0.2", "0.3", "resume=true"]),
            ("protocol=wsol", ["protocol.blacklist=True", "False"]),
            ("checkpoint=last", ["checkpoint=None", "last"]),
        ],
        0,
    ),
)
def test_another_job_in_the_same_folder_is_refused(
    trained: Trained, whole: Path, gapnet: Command, argument: str, parts: list[str]
) -> None:
    folder = whole
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    outcome = gapnet("evaluate", *arguments(trained, folder), "resume=true", argument)
    assert outcome.status == 1
    last = outcome.err.splitlines()[-1]
    assert all(part in last for part in (str(folder), *parts)), last
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_other_weights_under_the_same_name_are_refused(
    trained: Trained, tmp_path: Path, gapnet: Command
) -> None:
    path, folder = tmp_path / "net.ckpt", tmp_path / "run"
    checkpoint = torch.load(trained.run / "checkpoints" / "best.ckpt", weights_only=True)
    torch.save(checkpoint, path)
    named = [*arguments(trained, folder), f"checkpoint={path}"]
    assert gapnet("evaluate", *named).status == 0
    name = next(name for name in checkpoint["state_dict"] if name.endswith("weight"))
    checkpoint["state_dict"][name] += 1
    torch.save(checkpoint, path)
    outcome = gapnet("evaluate", *named, "resume=true")
    assert outcome.status == 1
    last = outcome.err.splitlines()[-1]
    assert all(part in last for part in (str(folder), "weights", "resume=true")), last


@pytest.mark.parametrize(
    "processes",
    [pytest.param(2, marks=pytest.mark.nightly), pytest.param(3, marks=pytest.mark.nightly)],
)
def test_several_processes_give_the_metrics_of_one(
    trained: Trained, whole: Path, tmp_path: Path, processes: int
) -> None:
    """Share out 4 batches a split, of 12 images: neither count divides evenly by 3."""
    folder = tmp_path / "run"
    several = [*arguments(trained, folder), f"trainer.devices={processes}"]
    outcome = script(tmp_path, "evaluate.py", *several)
    assert outcome.status == 0, outcome.err
    ranks = {path.name.split("-")[1] for path in folder.rglob("part-*")}
    assert len(ranks) == processes
    assert (folder / "metrics.json").read_bytes() == (whole / "metrics.json").read_bytes()


@pytest.mark.nightly
def test_more_processes_than_batches_give_the_metrics_of_one(
    trained: Trained, tmp_path: Path
) -> None:
    one, three = tmp_path / "one", tmp_path / "three"
    for folder, devices in ((one, 1), (three, 3)):
        alone = [*arguments(trained, folder), "loader.batch_size=12", f"trainer.devices={devices}"]
        outcome = script(tmp_path, "evaluate.py", *alone)
        assert outcome.status == 0, outcome.err
    assert (one / "metrics.json").read_bytes() == (three / "metrics.json").read_bytes()


MEMORY = """
import resource, sys
from gapnet.cli.main import run
sys.argv = ["evaluate.py", *sys.argv[1:]]
run("evaluate")
print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.nightly
def test_memory_does_not_grow_with_the_number_of_images(trained: Trained, tmp_path: Path) -> None:
    peaks = []
    for count in (300, 1200):
        drawn = [f"data.root={tmp_path / str(count)}", f"data.test={count}", "data.seed=3"]
        drawn += ["data.scenes=sparse", "data.size=48"]
        drawn += ["data.classes=3", "data.train=3", "data.val=3"]
        command = [sys.executable, "-c", MEMORY, *arguments(trained, tmp_path / f"run{count}")]
        done = subprocess.run(
            [*command, "data=shapes", *drawn, "loader.num_workers=0", "loader.batch_size=24"],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(int(done.stdout.split("peak")[-1]))
        metrics = json.loads((tmp_path / f"run{count}" / "metrics.json").read_text())
        assert metrics[0]["n"] == count
    assert peaks[1] < 1.05 * peaks[0]
