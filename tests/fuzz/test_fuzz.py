"""The matrix of spoiled files: every kind of file, spoiled in every way, is read by its reader.

A file either ends in one line that names it, or is read as something sane; one flipped bit in a
file with a checksum is refused or changes nothing. The default tests try a few files of every kind,
the slow ones every way, and the nightly ones many seeds.
"""

import resource
import signal
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from types import FrameType

import pytest

from gapnet.errors import GapnetError
from tests.few import few
from tests.fuzz import data_files, model_files, prediction_files
from tests.fuzz.mutations import BIT_FLIPS, WAYS, Way
from tests.fuzz.subject import Subject

SUBJECTS = [*data_files.SUBJECTS, *model_files.SUBJECTS, *prediction_files.SUBJECTS]
FEW = 3  # ways to spoil a file in the default tests
SEEDS, MANY_SEEDS = 2, 60  # files per kind and way, in the slow tests and in the nightly ones
FLIPS, MANY_FLIPS = 40, 1500  # files with one flipped bit per kind with a checksum
LONGEST = 830  # characters of an error
SECONDS = 10  # that a file may take
GROWTH = 600  # megabytes that a file of some kilobytes may take
MEGABYTE = 2**20
Spoiled = Iterable[tuple[Way, int]]


class HangError(BaseException):
    """A file takes too long; no reader catches this."""


def ring(signum: int, frame: FrameType | None) -> None:
    raise HangError


@contextmanager
def bounded() -> Iterator[None]:
    """Limit the seconds and the memory of the block."""
    before = peak()
    old = signal.signal(signal.SIGALRM, ring)
    signal.alarm(SECONDS)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, old)
    assert peak() - before < GROWTH


def peak() -> float:
    """Return the largest memory that this process ever had, in megabytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (MEGABYTE if sys.platform == "darwin" else 1024)


def listing(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*") if "cache" not in path.parts}


def assert_clear(error: GapnetError, folder: Path) -> None:
    line = str(error)
    assert len(line.splitlines()) == 1, line
    assert len(line) < LONGEST, line
    assert str(folder) in line, line


def check(subject: Subject, folder: Path, spoiled: Spoiled) -> int:
    """Read a file spoiled in several ways; return how often it was refused."""
    path = subject.make(folder)
    content = path.read_bytes()
    whole, before = subject.read(path), listing(folder)
    refusals = 0
    for way, seed in spoiled:
        path.write_bytes(way(Random(f"{subject} {way.__name__} {seed}"), content))
        try:
            with bounded():
                result = subject.read(path)
            if way in BIT_FLIPS[subject.checksum]:
                assert result == whole, (way.__name__, seed)
        except GapnetError as error:
            assert_clear(error, folder)
            refusals += 1
        assert listing(folder) <= before | {str(path)}, (way.__name__, seed)
    return refusals


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAPNET_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("subject", few(SUBJECTS, 14), ids=str)
def test_a_few_spoiled_files_are_refused_in_one_line_or_read_rightly(
    subject: Subject, tmp_path: Path
) -> None:
    ways = Random(str(subject)).sample(WAYS, FEW)
    flips = BIT_FLIPS[subject.checksum] if subject.refuses else ()
    check(
        subject,
        tmp_path,
        [*((way, 0) for way in ways), *((way, n) for way in flips for n in range(3))],
    )


@pytest.mark.parametrize(
    "seeds",
    [
        pytest.param(SEEDS, marks=pytest.mark.slow),
        pytest.param(MANY_SEEDS, marks=pytest.mark.nightly),
    ],
)
@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_spoiled_files_are_refused_in_one_line_or_read_rightly(
    subject: Subject, tmp_path: Path, seeds: int
) -> None:
    check(subject, tmp_path, [(way, seed) for way in WAYS for seed in range(1, seeds + 1)])


@pytest.mark.parametrize(
    "flips",
    [
        pytest.param(FLIPS, marks=pytest.mark.slow),
        pytest.param(MANY_FLIPS, marks=pytest.mark.nightly),
    ],
)
@pytest.mark.parametrize(
    "subject", [subject for subject in SUBJECTS if BIT_FLIPS[subject.checksum]], ids=str
)
def test_a_flipped_bit_of_a_file_with_a_checksum_is_refused_or_changes_nothing(
    subject: Subject, tmp_path: Path, flips: int
) -> None:
    flips = flips if subject.refuses else flips // 10  # reading all of it takes longest
    spoiled = [(way, seed) for way in BIT_FLIPS[subject.checksum] for seed in range(flips)]
    refusals = check(subject, tmp_path, spoiled)
    if subject.refuses:
        assert refusals > len(spoiled) // 2


def test_a_thousand_files_are_tried() -> None:
    assert len(SUBJECTS) * len(WAYS) * SEEDS >= 1000
