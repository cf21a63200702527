import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

from tests.cli.conftest import CHECKOUT

JOB = [
    "data.size=48",
    "data.classes=3",
    "data.train=60",
    "data.val=24",
    "data.test=12",
    *("model=alexnet_star_gap", "model.profile=caffe"),  # with dropout
    *("model.thin=32", "model.input_size=79"),
    "trainer.max_epochs=3",
    "trainer.accelerator=cpu",
    "trainer.log_every_n_steps=1",
    "loader.batch_size=6",
    "evaluate=false",
]


class Outcome(NamedTuple):
    curves: str
    weights: dict[str, torch.Tensor]


class Tries:
    """Train again and again, with something befalling each try."""

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
        """Train once; give the status."""
        job = [*JOB, f"name={name}", *arguments]
        given = {"arguments": job, "output": str(self.output(name)), "fault": fault}
        self.process.stdin.write(json.dumps(given) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def output(self, name: str) -> Path:
        """Find what the tries of a name have said."""
        return self.home / f"{name}.txt"

    def run(self, name: str) -> Path:
        """Find the run of a name."""
        (folder,) = [each for each in (self.home / "runs" / name).iterdir() if "." not in each.name]
        return folder

    def said(self, name: str) -> str:
        """Read what the tries of a name have said."""
        return self.output(name).read_text()

    def outcome(self, name: str) -> Outcome:
        """Read the curves and the weights that a training ended with."""
        folder, weights = self.run(name), {}
        for kind in ("last", "best"):
            saved = torch.load(folder / "checkpoints" / f"{kind}.ckpt", weights_only=True)
            weights |= {f"{kind} {key}": value for key, value in saved["state_dict"].items()}
        return Outcome((folder / "logs" / "metrics.csv").read_bytes().decode(), weights)


@pytest.fixture(scope="module")
def tries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tries]:
    """Offer tries in an empty folder."""
    made = Tries(tmp_path_factory.mktemp("survival"))
    yield made
    made.process.stdin.close()
    made.process.wait()
