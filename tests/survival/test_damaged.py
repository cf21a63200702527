"""A training whose files are damaged goes on from what is left, as if nothing had happened."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.survival.conftest import Outcome, Tries
from tests.survival.test_interrupted import OFTEN, WAYS, check_same

pytestmark = pytest.mark.slow
STOPPED = {"signal": "SIGTERM", "at": "on_train_batch_start"}
SECOND_EPOCH = 14  # a step of the second epoch of ten


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
CURVES_SPOILS = {"missing": Path.unlink, "truncated": cut_row, "altered": alter, "emptied": empty}


@pytest.fixture(scope="module")
def straight(tries: Tries) -> Callable[[str], Outcome]:
    """Give the outcome of a way to train without an interruption; each is trained once."""
    outcomes: dict[str, Outcome] = {}

    def train(way: str) -> Outcome:
        name = f"straight{list(WAYS).index(way)}"
        if way not in outcomes:
            assert tries(*WAYS[way], name=name) == 0, tries.said(name)
            outcomes[way] = tries.outcome(name)
        return outcomes[way]

    return train


def interrupt(tries: Tries, name: str, *arguments: str, count: int = SECOND_EPOCH) -> Path:
    """Stop a training that saves in each step; give its checkpoints' folder."""
    assert tries(*arguments, OFTEN, name=name, **STOPPED, count=count) == 143, tries.said(name)
    return tries.run(name) / "checkpoints"


@pytest.mark.parametrize("count", [2, SECOND_EPOCH])
@pytest.mark.parametrize("spoil", SPOILS)
def test_a_training_whose_last_checkpoint_is_damaged_goes_on_bit_for_bit(
    spoil: str, count: int, straight: Callable[[str], Outcome], tries: Tries
) -> None:
    name = f"{spoil}{count}"
    folder = interrupt(tries, name, count=count)
    SPOILS[spoil](folder / "last.ckpt")
    assert tries(OFTEN, "resume=auto", name=name) == 0, tries.said(name)
    assert f"continuing from {folder / 'previous.ckpt'}, step {count - 1}" in tries.said(name)
    assert (folder / "last.ckpt.damaged").exists() == (spoil != "delete")
    check_same(straight("plainly"), tries.outcome(name))


@pytest.mark.parametrize("way", WAYS)
def test_a_training_with_its_best_checkpoint_alone_goes_on_bit_for_bit(
    way: str, straight: Callable[[str], Outcome], tries: Tries
) -> None:
    name = f"best{list(WAYS).index(way)}"
    late = {"validating every other epoch": 24, "accumulating": 26}
    folder = interrupt(tries, name, *WAYS[way], count=late.get(way, SECOND_EPOCH))
    flip(folder / "last.ckpt", 0.4)
    flip(folder / "previous.ckpt", 0.6)
    assert tries(*WAYS[way], OFTEN, "resume=auto", name=name) == 0, tries.said(name)
    assert f"continuing from {folder / 'best.ckpt'}, step" in tries.said(name)
    check_same(straight(way), tries.outcome(name))


@pytest.mark.parametrize("at", ["writing", "keeping", "renaming"])
def test_a_training_that_goes_on_from_the_previous_checkpoint_may_be_killed(
    at: str, straight: Callable[[str], Outcome], tries: Tries
) -> None:
    name = f"twice-{at}"
    folder = interrupt(tries, name)
    flip(folder / "last.ckpt")
    fault = {"kill_in_save": 1, "at": at}
    assert tries(OFTEN, "resume=auto", name=name, **fault) == -9, tries.said(name)
    assert tries(OFTEN, "resume=auto", name=name) == 0, tries.said(name)
    check_same(straight("plainly"), tries.outcome(name))


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


@pytest.mark.parametrize("spoil", CURVES_SPOILS)
def test_a_training_whose_curves_are_damaged_ends_with_all_of_them(
    spoil: str, straight: Callable[[str], Outcome], tries: Tries
) -> None:
    name = f"curves-{spoil}"
    path = interrupt(tries, name).parent / "logs" / "metrics.csv"
    CURVES_SPOILS[spoil](path)
    assert tries(OFTEN, "resume=auto", name=name) == 0, tries.said(name)
    assert f"{path}: differs from the log up to step {SECOND_EPOCH}" in tries.said(name)
    assert tries.outcome(name).curves == straight("plainly").curves
