"""Folders that are written under a temporary name, by one process at a time."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from gapnet.errors import GapnetError
from gapnet.system.files import flush_to_disk, temporary_path

LONGEST_NAME, LONGEST_PATH = 255, 4096  # bytes that Linux allows
ROOM = 256  # bytes of a path that the files in a folder need


@contextmanager
def claim_folder(folder: Path, busy: str) -> Iterator[None]:
    """Keep a folder, which need not exist, to this process by a lock file beside it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(folder.parent, os.W_OK):  # nor can others make or move a folder there
        yield
        return
    with lock_file(folder.parent / f".{folder.name}.lock", busy):
        yield


@contextmanager
def lock_file(path: Path, busy: str) -> Iterator[None]:
    """Hold a lock file, and remove it afterwards; `busy` is the error where another process has it.

    filelock's own lock stays on the disk, and its older versions do not notice a removed file.
    """
    while True:
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666), "r+") as file:
            lock(file, busy)
            if not _is_open_at(path, file):
                continue  # whoever held the lock has removed the file since it was opened here
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return


def lock(file: TextIO, busy: str) -> None:
    """Lock an open file for this process; `busy` is the error where another process has it.

    Nothing else of this process may open the file: the lock ends when any of them is closed.
    """
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # which forked workers do not hold
    except (BlockingIOError, PermissionError):
        raise GapnetError(busy) from None


def _is_open_at(path: Path, file: TextIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Give a temporary folder to write into; it gets its name when the block ends well.

    The caller holds the folder's lock: a temporary folder that is there already was left by a
    process that was killed, and is removed.
    """
    unfinished = temporary_path(folder)
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    try:
        yield unfinished
        unfinished.rename(folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    flush_to_disk(folder.parent)


def check_length(folder: Path) -> None:
    """Refuse a folder whose path, or those of the files in it, would be too long."""
    names = (*folder.parts, temporary_path(folder).name)
    name, path = max(len(os.fsencode(each)) for each in names), len(os.fsencode(folder))
    if name > LONGEST_NAME or path > LONGEST_PATH - ROOM:
        raise GapnetError(
            f"folder={folder}: is too long ({path} bytes, the longest name {name}); at most "
            f"{LONGEST_PATH - ROOM} and {LONGEST_NAME} are possible, so choose shorter names"
        )


def check_inside(path: Path, root: Path) -> None:
    """Refuse a path in a folder that a symbolic link leads out of it: others' files lie there."""
    place, home = (Path(os.path.realpath(each)) for each in (path, root))
    named = any(path.absolute().is_relative_to(each) for each in (root.absolute(), home))
    if named and not place.is_relative_to(home):
        raise GapnetError(
            f"{path}: a symbolic link leads to {place}, outside {root}; remove the link, or name "
            "the place itself"
        )
