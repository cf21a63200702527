import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.cli.conftest import CHECKOUT

TRAIN = [sys.executable, str(CHECKOUT / "train.py")]
JOB = [
    "data.scenes=sparse",
    "data.size=48",
    "data.classes=3",
    "data.train=60",
    "data.val=24",
    "data.test=12",
    *("model=vgg16_gap", "model.thin=32", "model.input_size=48"),  # without batch norm
    "optim=sgd",
    "trainer.max_epochs=4",
    "trainer.accelerator=cpu",
    "trainer.log_every_n_steps=1",
    "loader.num_workers=0",
    "loader.batch_size=12",
    "evaluate=false",
    "report.images=0",
]
Start = Callable[..., "subprocess.Popen[str]"]


def start(folder: Path, *arguments: str, command: list[str] = TRAIN) -> "subprocess.Popen[str]":
    """Start a training in a folder."""
    return subprocess.Popen(
        [*command, *JOB, *arguments],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def train(folder: Path, *arguments: str, command: list[str] = TRAIN) -> Path:
    """Train in a folder, and return the run."""
    process = start(folder, *arguments, command=command)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return (folder / "runs" / "latest").resolve()


def weights(run: Path) -> dict[str, torch.Tensor]:
    """Read the weights that a training ended with."""
    saved = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    return saved["state_dict"]


def check_close(one: Path, other: Path, *, within: float = 1e-5) -> None:
    """Compare the weights of two runs."""
    for name, value in weights(one).items():
        torch.testing.assert_close(weights(other)[name], value, atol=within, rtol=0)


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train 20 steps of 12 images in one process, and evaluate."""
    return train(tmp_path_factory.mktemp("alone"), "evaluate=true")
