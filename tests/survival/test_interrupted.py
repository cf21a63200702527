"""A training that is interrupted, at whatever moment, goes on as if it had not been."""

import random
from pathlib import Path

import pytest
import torch

from tests.survival.conftest import Outcome, Tries

pytestmark = pytest.mark.slow
OFTEN = "callbacks.last.minutes=0.0001"  # a checkpoint in each step
WAYS = {
    "plainly": [],
    "with workers": ["loader.num_workers=2"],
    "averaging": ["callbacks=ema"],
    "in half precision": ["trainer.precision=bf16-mixed"],
    "accumulating": ["trainer.accumulate_grad_batches=3"],
    "validating in mid-epoch": ["+trainer.val_check_interval=4"],
    "validating every other epoch": ["trainer.check_val_every_n_epoch=2"],
    "for so many steps": ["+trainer.max_steps=26", "trainer.max_epochs=-1"],
}
MOMENTS = {
    "in the first step": ("on_train_batch_start", 1),
    "in mid-epoch": ("on_before_optimizer_step", 5),
    "in the last step of an epoch": ("on_train_batch_start", 10),
    "before a validation": ("on_validation_start", 1),
    "in a validation": ("on_validation_batch_start", 3),
    "at the end of an epoch": ("on_train_epoch_end", 1),
}


def check_same(straight: Outcome, interrupted: Outcome) -> None:
    assert interrupted.curves == straight.curves
    assert interrupted.weights.keys() == straight.weights.keys()
    for name, value in straight.weights.items():
        assert torch.equal(interrupted.weights[name], value), name


@pytest.fixture(scope="module")
def straight(tries: Tries) -> dict[str, Outcome]:
    """Train each way without an interruption."""
    for number, way in enumerate(WAYS.values()):
        assert tries(*way, name=f"straight{number}") == 0, tries.said(f"straight{number}")
    return {way: tries.outcome(f"straight{number}") for number, way in enumerate(WAYS)}


@pytest.mark.parametrize("way", WAYS)
def test_a_training_that_is_told_to_stop_goes_on_bit_for_bit(
    way: str, straight: dict[str, Outcome], tries: Tries
) -> None:
    for hook, count in MOMENTS.values():
        name = f"stopped-{list(WAYS).index(way)}-{hook}"
        assert tries(*WAYS[way], name=name, signal="SIGTERM", at=hook, count=count) == 143
        assert tries(*WAYS[way], "resume=auto", name=name) == 0, tries.said(name)
        check_same(straight[way], tries.outcome(name))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_training_that_is_killed_twenty_times_goes_on_bit_for_bit(
    workers: int, straight: dict[str, Outcome], tries: Tries
) -> None:
    chance, name = random.Random(workers), f"killed{workers}"
    job = [OFTEN, f"loader.num_workers={workers}", "resume=auto"]
    for number in range(20):
        if number % 3 == 0:
            place = chance.choice(["writing", "syncing", "keeping", "renaming"])
            fault = {"kill_in_save": chance.randint(1, 4), "at": place}
        else:
            fault = {"kill_after": chance.uniform(0.3, 1.5)}
        assert tries(*job, name=name, **fault) in (-9, 0), tries.said(name)
    assert tries(*job, name=name) == 0, tries.said(name)
    check_same(straight["with workers" if workers else "plainly"], tries.outcome(name))


@pytest.mark.parametrize(
    ("signal", "status"), [("SIGTERM", 143), ("SIGUSR1", 143), ("SIGINT", 130)]
)
def test_a_signal_saves_the_step_and_ends_with_its_status(
    signal: str, status: int, tries: Tries
) -> None:
    at = {"at": "on_train_batch_start", "count": 4}
    assert tries(name=signal, signal=signal, **at) == status
    saved = torch.load(tries.run(signal) / "checkpoints" / "last.ckpt", weights_only=True)
    assert saved["global_step"] == 4
    assert f"{signal}: stopped after step 4, which is saved" in tries.said(signal)
    assert "Traceback" not in tries.said(signal)


def test_a_full_disk_leaves_the_checkpoint_of_before(tries: Tries) -> None:
    assert tries(OFTEN, name="full", full_in_save=3) == 1
    assert "No space left on device" in tries.said("full").splitlines()[-1]
    folder = tries.run("full") / "checkpoints"
    for name, step in (("last", 2), ("previous", 1)):
        assert torch.load(folder / f"{name}.ckpt", weights_only=True)["global_step"] == step
    assert tries(OFTEN, "resume=auto", name="full") == 0


def test_a_loss_that_is_no_number_stops_before_the_step(tries: Tries) -> None:
    assert tries(OFTEN, name="poisoned", poison=8) == 1
    assert "step 8: the loss or a gradient is not finite" in tries.said("poisoned").splitlines()[-1]
    folder = tries.run("poisoned")
    last = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["global_step"] == 7
    assert not (folder / "checkpoints" / "best.ckpt").exists()
    state = torch.load(folder / "postmortem" / "state.ckpt", weights_only=True)
    assert all(value.isfinite().all() for value in state["state_dict"].values())
    assert '"broken": true' in (folder / "postmortem" / "rank0.json").read_text()


def test_nothing_unfinished_is_left_under_a_name_that_counts(tries: Tries) -> None:
    tries(OFTEN, name="torn", kill_in_save=3, at="writing")
    folder: Path = tries.run("torn") / "checkpoints"
    whole = ["last.ckpt", "previous.ckpt"]
    assert sorted(each.name for each in folder.iterdir()) == [".last.ckpt.unfinished", *whole]
    for name in whole:
        torch.load(folder / name, weights_only=True)
