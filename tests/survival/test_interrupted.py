"""A training that is interrupted, at whatever moment, goes on as if it had not been."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from _pytest.mark import ParameterSet

from tests.survival.conftest import OFTEN, WAYS, Outcome, Tries, check_same

MOMENTS = {
    "in the first step": ("on_train_batch_start", 1),
    "in mid-epoch": ("on_before_optimizer_step", 3),
    "in the last step of an epoch": ("on_train_batch_start", 5),
    "before a validation": ("on_validation_start", 1),
    "in a validation": ("on_validation_batch_start", 2),
    "at the end of an epoch": ("on_train_epoch_end", 1),
}


# Every way and every moment are tested, every way at every moment nightly
QUICK = {
    ("plainly", "in mid-epoch"),
    ("with workers", "in a validation"),
    ("averaging", "at the end of an epoch"),
    ("in half precision", "in the first step"),
    ("accumulating", "in mid-epoch"),
    ("validating in mid-epoch", "before a validation"),
    ("validating every other epoch", "in the last step of an epoch"),
    ("for so many steps", "in the last step of an epoch"),
}


def with_marks(way: str, moment: str) -> ParameterSet:
    quick = (way, moment) in QUICK
    return pytest.param(way, moment, marks=pytest.mark.slow if quick else pytest.mark.nightly)


@pytest.mark.parametrize(
    ("way", "moment"), [with_marks(way, moment) for way in WAYS for moment in MOMENTS]
)
def test_a_training_that_is_stopped_goes_on_bit_for_bit(
    way: str, moment: str, straight: Callable[[str], Outcome], tries: Tries
) -> None:
    hook, count = MOMENTS[moment]
    name = f"stopped-{list(WAYS).index(way)}-{hook}-{count}"
    assert tries(*WAYS[way], name=name, signal="SIGTERM", at=hook, count=count) == 143
    assert tries(*WAYS[way], "resume=auto", name=name) == 0, tries.said(name)
    check_same(straight(way), tries.outcome(name))


@pytest.mark.parametrize(
    ("workers", "kills"),
    [
        pytest.param(0, 4, marks=pytest.mark.slow),
        pytest.param(2, 4, marks=pytest.mark.slow),
        pytest.param(0, 20, marks=pytest.mark.nightly),
        pytest.param(2, 20, marks=pytest.mark.nightly),
    ],
)
def test_a_training_that_is_killed_often_goes_on_bit_for_bit(
    workers: int, kills: int, straight: Callable[[str], Outcome], tries: Tries
) -> None:
    chance, name = random.Random(workers), f"killed{workers}-{kills}"
    job = [OFTEN, f"loader.num_workers={workers}", "resume=auto"]
    for number in range(kills):
        if number % 3 == 0:
            place = chance.choice(["writing", "syncing", "keeping", "renaming"])
            fault = {"kill_in_save": chance.randint(1, 4), "at": place}
        else:
            fault = {"kill_after": chance.uniform(0.3, 1.5)}
        assert tries(*job, name=name, **fault) in (-9, 0), tries.said(name)
    assert tries(*job, name=name) == 0, tries.said(name)
    check_same(straight("with workers" if workers else "plainly"), tries.outcome(name))


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_full_disk_leaves_the_checkpoint_of_before(tries: Tries) -> None:
    assert tries(OFTEN, name="full", full_in_save=3) == 1
    assert "last.ckpt" in tries.said("full").splitlines()[-1]
    folder = tries.run("full") / "checkpoints"
    for name, step in (("last", 2), ("previous", 1)):
        assert torch.load(folder / f"{name}.ckpt", weights_only=True)["global_step"] == step
    assert tries(OFTEN, "resume=auto", name="full") == 0


@pytest.mark.slow
def test_a_loss_that_is_not_finite_stops_before_the_step(tries: Tries) -> None:
    assert tries(OFTEN, name="poisoned", poison=4) == 1
    assert "step 4: " in tries.said("poisoned").splitlines()[-1]
    folder = tries.run("poisoned")
    last = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["global_step"] == 3
    assert not (folder / "checkpoints" / "best.ckpt").exists()
    state = torch.load(folder / "postmortem" / "state.ckpt", weights_only=True)
    assert all(value.isfinite().all() for value in state["state_dict"].values())
    assert '"broken": true' in (folder / "postmortem" / "rank0.json").read_text()


@pytest.mark.slow
def test_nothing_unfinished_is_left_under_a_name_that_counts(tries: Tries) -> None:
    tries(OFTEN, name="torn", kill_in_save=3, at="writing")
    folder: Path = tries.run("torn") / "checkpoints"
    whole = ["last.ckpt", "previous.ckpt"]
    assert sorted(path.name for path in folder.iterdir()) == [".last.ckpt.unfinished", *whole]
    for name in whole:
        torch.load(folder / name, weights_only=True)
