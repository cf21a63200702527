"""Trainings on GPUs."""

import os
import shutil
from pathlib import Path

import pytest
import torch
import yaml

from tests.processes.conftest import check_close, train

pytestmark = pytest.mark.gpu
ON_GPUS = ["trainer.accelerator=gpu"]
FAST = ["classifier.channels_last=true", "classifier.compile=true"]
COMPILER = "CC" in os.environ or shutil.which("gcc") or shutil.which("clang")
COMPILED = pytest.mark.skipif(not COMPILER, reason="torch.compile needs a C compiler")


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_synchronised_batch_norms_see_the_images_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "0")  # which rounds convs to three digits
    job = [*ON_GPUS, "model=tiny_gap", "model.thin=1"]
    one = train(tmp_path, *job, "loader.batch_size=12")
    shared = ["trainer.devices=2", "loader.batch_size=6", "trainer.sync_batchnorm=true"]
    check_close(one, train(tmp_path, *job, *shared), within=1e-3)


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(["trainer.precision=bf16-mixed"], id="bf16"),
        pytest.param(["trainer.precision=16-mixed"], id="fp16"),
        pytest.param(["trainer.precision=bf16-mixed", *FAST], id="bf16-compiled", marks=COMPILED),
        pytest.param(["trainer.precision=16-mixed", *FAST], id="fp16-compiled", marks=COMPILED),
        pytest.param(["callbacks=ema"], id="averaging"),
    ],
)
def test_a_training_ends_and_goes_on(way: list[str], tmp_path: Path) -> None:
    run = train(tmp_path, *ON_GPUS, *way)
    saved = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    assert saved["global_step"] == 20
    longer = [f"resume={run}", "trainer.max_epochs=5", "resume_changed=true"]
    again = train(tmp_path, *ON_GPUS, *way, *longer)
    saved = torch.load(again / "checkpoints" / "last.ckpt", weights_only=True)
    assert saved["global_step"] == 25


def test_the_largest_batch_is_found(tmp_path: Path) -> None:
    run = train(tmp_path, *ON_GPUS, "trainer.auto_batch=true", "loader.batch_size=2")
    size = yaml.safe_load((run / "config.yaml").read_text())["loader"]["batch_size"]
    assert size > 2
    assert f"batch_size={size}, " in (run / "log.txt").read_text()
