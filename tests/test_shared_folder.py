from pathlib import Path

import pytest

from gapnet.system.folders import shared_folder

COMPLETE = "complete.txt"


def make(folder: Path, content: str) -> None:
    with shared_folder(folder, COMPLETE) as unfinished:
        (unfinished / COMPLETE).write_text(content)


def test_the_first_of_two_processes_makes_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    with shared_folder(folder, COMPLETE) as unfinished:
        (unfinished / COMPLETE).write_text("second")
        make(folder, "first")
    assert (folder / COMPLETE).read_text() == "first"
    assert list(tmp_path.iterdir()) == [folder]


def test_a_folder_that_is_not_complete_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "mine.txt").touch()
    with pytest.raises(OSError, match="not empty"):
        make(folder, "new")
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]
    assert list(tmp_path.iterdir()) == [folder]


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), shared_folder(tmp_path / "shared", COMPLETE):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
