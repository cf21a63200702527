"""Spoiled files of every kind: each ends in one line that names it, or is read rightly."""

import resource
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import HealthCheck, given, settings

from gapnet.errors import GapnetError
from tests.fuzz import data_files, model_files, prediction_files
from tests.fuzz.mutations import spoiled
from tests.fuzz.subject import Subject

SUBJECTS = [*data_files.SUBJECTS, *model_files.SUBJECTS, *prediction_files.SUBJECTS]
FEW, MANY = 2, 40  # spoiled files of each kind: whenever tests are run, and by CI
LONGEST = 830  # characters of an error
SECONDS = 10  # that a file may take
GROWTH = 600  # megabytes that a file of some kilobytes may take
MEGABYTE = 2**20


class HangError(BaseException):
    """Say that a file takes too long; no reader catches this."""


def ring(signum: int, frame: FrameType | None) -> None:
    raise HangError


@contextmanager
def bounded() -> Iterator[None]:
    """Bound the seconds and the memory of what is done inside."""
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
    """Give the most memory that this process ever had, in megabytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (MEGABYTE if sys.platform == "darwin" else 1024)


def listing(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*") if "cache" not in path.parts}


def assert_clear(error: GapnetError, folder: Path) -> None:
    told = str(error)
    assert len(told.splitlines()) == 1, told
    assert len(told) < LONGEST, told
    assert str(folder) in told, told


def attempt(subject: Subject, path: Path, content: bytes, folder: Path) -> bool:
    """Read a file of this content; tell whether it was refused."""
    before = listing(folder)
    path.write_bytes(content)
    try:
        with bounded():
            subject.read(path)
    except GapnetError as error:
        assert_clear(error, folder)
        return True
    finally:
        assert listing(folder) <= before | {str(path)}
    return False


def spoil(subject: Subject, folder: Path, count: int) -> None:
    path = subject.make(folder)
    whole = path.read_bytes()
    subject.read(path)

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(spoiled(whole))
    def read(content: bytes) -> None:
        attempt(subject, path, content, folder)

    read()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAPNET_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_a_few_spoiled_files_are_refused_in_one_line_or_read_rightly(
    subject: Subject, tmp_path: Path
) -> None:
    spoil(subject, tmp_path, FEW)


@pytest.mark.slow
@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_spoiled_files_are_refused_in_one_line_or_read_rightly(
    subject: Subject, tmp_path: Path
) -> None:
    spoil(subject, tmp_path, MANY)


def test_a_thousand_files_are_tried() -> None:
    assert len(SUBJECTS) * MANY >= 1000
