"""A training whose files are damaged goes on from what is left, as if nothing had happened."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.survival.conftest import OFTEN, WAYS, Outcome, Tries, check_same

STOPPED = {"signal": "SIGTERM", "at": "on_train_batch_start"}
SECOND_EPOCH = 7  # a step of the second epoch of five


def flip(path: Path, place: float = 0.5) -> None:
    content = bytearray(path.read_bytes())
    content[int(len(content) * place)] ^= 4
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def alter(path: Path) -> None:
    """Change a digit of the loss in the second row."""
    text = path.read_bytes().decode()
    place = text.index(".", text.index("\n")) + 3
    path.write_bytes(f"{text[:place]}{9 - int(text[place])}{text[place + 1 :]}".encode())


def cut_row(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


SPOILS: dict[str, Callable[[Path], None]] = {"flip": flip, "cut": cut, "delete": Path.unlink}
QUICK_WAYS = ("plainly", "accumulating", "validating every other epoch")
CURVES_SPOILS = {"missing": Path.unlink, "truncated": cut_row, "altered": alter, "emptied": empty}


def interrupt(tries: Tries, name: str, *arguments: str, count: int = SECOND_EPOCH) -> Path:
    """Stop a training that saves in each step; return its checkpoints' folder."""
    assert tries(*arguments, OFTEN, name=name, **STOPPED, count=count) == 143, tries.said(name)
    return tries.run(name) / "checkpoints"


@pytest.fixture(scope="session")
def stopped(tries: Tries) -> Callable[[str], Path]:
    """Return a function that copies one stopped training to a name: its checkpoints' folder."""
    run = interrupt(tries, "interrupted").parent

    def copy(name: str) -> Path:
        target = tries.home / "runs" / name / run.name
        shutil.copytree(run, target)
        return target / "checkpoints"

    return copy


@pytest.mark.slow
@pytest.mark.parametrize("spoil", SPOILS)
def test_a_training_whose_last_checkpoint_is_damaged_goes_on_bit_for_bit(
    spoil: str,
    stopped: Callable[[str], Path],
    straight: Callable[[str], Outcome],
    tries: Tries,
) -> None:
    name, folder = spoil, stopped(spoil)
    SPOILS[spoil](folder / "last.ckpt")
    assert tries(OFTEN, "resume=auto", name=name) == 0, tries.said(name)
    assert f"{folder / 'previous.ckpt'}, step {SECOND_EPOCH - 1}" in tries.said(name)
    assert (folder / "last.ckpt.damaged").exists() == (spoil != "delete")
    check_same(straight("plainly"), tries.outcome(name))


@pytest.mark.slow
def test_a_training_whose_last_checkpoint_of_two_is_damaged_goes_on(
    straight: Callable[[str], Outcome], tries: Tries
) -> None:
    folder = interrupt(tries, "second", count=2)
    flip(folder / "last.ckpt")
    assert tries(OFTEN, "resume=auto", name="second") == 0, tries.said("second")
    assert f"{folder / 'previous.ckpt'}, step 1" in tries.said("second")
    check_same(straight("plainly"), tries.outcome("second"))


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(way, marks=pytest.mark.slow if way in QUICK_WAYS else pytest.mark.nightly)
        for way in WAYS
    ],
)
def test_a_training_with_its_best_checkpoint_alone_goes_on_bit_for_bit(
    way: str, straight: Callable[[str], Outcome], tries: Tries
) -> None:
    name = f"best{list(WAYS).index(way)}"
    late = {"validating every other epoch": 12, "accumulating": 14}
    folder = interrupt(tries, name, *WAYS[way], count=late.get(way, SECOND_EPOCH))
    flip(folder / "last.ckpt", 0.4)
    flip(folder / "previous.ckpt", 0.6)
    assert tries(*WAYS[way], OFTEN, "resume=auto", name=name) == 0, tries.said(name)
    assert f"{folder / 'best.ckpt'}, step" in tries.said(name)
    check_same(straight(way), tries.outcome(name))


@pytest.mark.parametrize(
    "at",
    [
        pytest.param("writing", marks=pytest.mark.nightly),
        pytest.param("keeping", marks=pytest.mark.slow),
        pytest.param("renaming", marks=pytest.mark.nightly),
    ],
)
def test_a_training_that_goes_on_from_the_previous_checkpoint_may_be_killed(
    at: str,
    stopped: Callable[[str], Path],
    straight: Callable[[str], Outcome],
    tries: Tries,
) -> None:
    name = f"twice-{at}"
    folder = stopped(name)
    flip(folder / "last.ckpt")
    fault = {"kill_in_save": 1, "at": at}
    assert tries(OFTEN, "resume=auto", name=name, **fault) == -9, tries.said(name)
    assert tries(OFTEN, "resume=auto", name=name) == 0, tries.said(name)
    check_same(straight("plainly"), tries.outcome(name))


@pytest.mark.slow
def test_a_trained_run_whose_last_checkpoint_is_damaged_is_trained_to_its_end_again(
    straight: Callable[[str], Outcome], tries: Tries
) -> None:
    assert tries(OFTEN, name="ended") == 0, tries.said("ended")
    run = tries.run("ended")
    flip(run / "checkpoints" / "last.ckpt")
    fault = {"kill_in_save": 1, "at": "writing"}
    assert tries(OFTEN, "resume=auto", name="ended", **fault) == -9, tries.said("ended")
    assert not (run / "training.json").exists()
    assert tries(OFTEN, "resume=auto", name="ended") == 0, tries.said("ended")
    assert (run / "training.json").exists()
    check_same(straight("plainly"), tries.outcome("ended"))


@pytest.mark.slow
@pytest.mark.parametrize("spoil", CURVES_SPOILS)
def test_a_training_whose_curves_are_damaged_ends_with_all_of_them(
    spoil: str,
    stopped: Callable[[str], Path],
    straight: Callable[[str], Outcome],
    tries: Tries,
) -> None:
    name = f"curves-{spoil}"
    path = stopped(name).parent / "logs" / "metrics.csv"
    CURVES_SPOILS[spoil](path)
    assert tries(OFTEN, "resume=auto", name=name) == 0, tries.said(name)
    assert f"{path}: " in tries.said(name)
    assert tries.outcome(name).curves == straight("plainly").curves
