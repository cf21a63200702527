import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

from tests.cli.conftest import CHECKOUT

JOB = [
    "data.scenes=sparse",
    "data.size=48",
    "data.classes=3",
    "data.train=30",
    "data.val=12",
    "data.test=6",
    *("model=alexnet_star_gap", "model.profile=caffe"),  # with dropout
    *("model.thin=32", "model.input_size=79"),
    "trainer.max_epochs=3",
    "trainer.accelerator=cpu",
    "trainer.log_every_n_steps=1",
    "loader.num_workers=0",
    "loader.batch_size=6",
    "evaluate=false",
]
OFTEN = "callbacks.last.minutes=0.0001"  # a checkpoint in each step
WAYS = {
    "plainly": [],
    "with workers": ["loader.num_workers=2"],
    "averaging": ["callbacks=ema"],
    "in half precision": ["trainer.precision=bf16-mixed"],
    "accumulating": ["trainer.accumulate_grad_batches=3"],
    "validating in mid-epoch": ["+trainer.val_check_interval=2"],
    "validating every other epoch": ["trainer.check_val_every_n_epoch=2"],
    "for so many steps": ["+trainer.max_steps=13", "trainer.max_epochs=-1"],
}


class Outcome(NamedTuple):
    curves: str
    weights: dict[str, torch.Tensor]


class Tries:
    """Trainings in forks of one process, with a fault in each."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.survival.tries"],
            cwd=home,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT), "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str, name: str, **fault: Any) -> int:
        """Train once, and return the status."""
        job = [*JOB, f"name={name}", *arguments]
        settings = {"arguments": job, "output": str(self.output(name)), "fault": fault}
        self.process.stdin.write(json.dumps(settings) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def output(self, name: str) -> Path:
        """Return the file with the output of the trainings of a name."""
        return self.home / f"{name}.txt"

    def run(self, name: str) -> Path:
        """Return the run folder of a name."""
        (folder,) = [path for path in (self.home / "runs" / name).iterdir() if "." not in path.name]
        return folder

    def said(self, name: str) -> str:
        """Return the output of the trainings of a name."""
        return self.output(name).read_text()

    def outcome(self, name: str) -> Outcome:
        """Return the curves and the weights at the end of a training."""
        folder, weights = self.run(name), {}
        for kind in ("last", "best"):
            saved = torch.load(folder / "checkpoints" / f"{kind}.ckpt", weights_only=True)
            weights |= {f"{kind} {key}": value for key, value in saved["state_dict"].items()}
        return Outcome((folder / "logs" / "metrics.csv").read_bytes().decode(), weights)


def check_same(straight: Outcome, interrupted: Outcome) -> None:
    assert interrupted.curves == straight.curves
    assert interrupted.weights.keys() == straight.weights.keys()
    for name, value in straight.weights.items():
        assert torch.equal(interrupted.weights[name], value), name


@pytest.fixture(scope="session")
def tries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tries]:
    """Start the process that trains, in an empty folder."""
    made = Tries(tmp_path_factory.mktemp("survival"))
    yield made
    made.process.stdin.close()
    made.process.wait()


@pytest.fixture(scope="session")
def straight(tries: Tries) -> Callable[[str], Outcome]:
    """Return a function that trains in a way without an interruption, once per way."""

    @cache
    def train(way: str) -> Outcome:
        name = f"straight{list(WAYS).index(way)}"
        assert tries(*WAYS[way], name=name) == 0, tries.said(name)
        return tries.outcome(name)

    return train
