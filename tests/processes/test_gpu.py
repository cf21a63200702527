"""What needs GPUs: none was at hand when this was written, so see it fail before you trust it."""

from pathlib import Path

import pytest
import torch

from tests.processes.conftest import check_close, train

pytestmark = pytest.mark.gpu
ON_GPUS = ["trainer.accelerator=gpu"]


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_synchronised_batch_norms_see_the_images_of_all(tmp_path: Path) -> None:
    job = [*ON_GPUS, "model=tiny_gap", "model.thin=1"]
    one = train(tmp_path, *job, "loader.batch_size=12")
    shared = ["trainer.devices=2", "loader.batch_size=6", "trainer.sync_batchnorm=true"]
    check_close(one, train(tmp_path, *job, *shared))


@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
@pytest.mark.parametrize(
    "extra", [[], ["classifier.channels_last=true", "classifier.compile=true"]]
)
def test_mixed_precision_trains_and_goes_on(
    precision: str, extra: list[str], tmp_path: Path
) -> None:
    job = [*ON_GPUS, f"trainer.precision={precision}", *extra]
    run = train(tmp_path, *job)
    saved = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    assert saved["global_step"] == 20
    again = train(tmp_path, *job, f"resume={run}", "trainer.max_epochs=5", "resume_changed=true")
    saved = torch.load(again / "checkpoints" / "last.ckpt", weights_only=True)
    assert saved["global_step"] == 25


def test_the_largest_batch_is_found(tmp_path: Path) -> None:
    run = train(tmp_path, *ON_GPUS, "trainer.auto_batch=true", "loader.batch_size=2")
    assert "is the largest that fits" in (run / "log.txt").read_text()
