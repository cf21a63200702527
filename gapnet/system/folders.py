"""Atomic writes of folders, and locks against other processes."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from gapnet.errors import GapnetError
from gapnet.system.files import flush_to_disk, temporary_path

LONGEST_NAME, LONGEST_PATH = 255, 4096  # bytes that Linux allows
RESERVED = 256  # bytes of a path that the files in a folder need


@contextmanager
def claim_folder(folder: Path, busy: str) -> Iterator[None]:
    """Lock a folder, which need not exist, with a lock file next to it.

    Args:
        folder: folder to lock.
        busy: message of the error if another process has the lock.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(folder.parent, os.W_OK):  # no process can create or rename a folder there
        yield
        return
    with lock_file(folder.parent / f".{folder.name}.lock", busy):
        yield


@contextmanager
def lock_file(path: Path, busy: str) -> Iterator[None]:
    """Lock a file, and delete it afterwards; `busy` is the error if another process has the lock.

    filelock's locks are not deleted, and its older versions do not notice a deleted file.
    """
    while True:
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666), "r+") as file:
            lock(file, busy)
            if not _is_open_at(path, file):
                continue  # the process that had the lock deleted the file since it was opened here
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return


def lock(file: TextIO, busy: str) -> None:
    """Lock an open file for this process; `busy` is the error if another process has the lock.

    Nothing else in this process may open the file: closing it anywhere ends the lock.
    """
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # forked workers do not inherit it
    except (BlockingIOError, PermissionError):
        raise GapnetError(busy) from None


def _is_open_at(path: Path, file: TextIO) -> bool:
    """Return whether the open file still is the one at this path."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder to write into; if the block succeeds, it is renamed to `folder`.

    The caller has the folder's lock: a temporary folder that exists already was left by a killed
    process, and is deleted.
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


@contextmanager
def shared_folder(folder: Path, complete: str) -> Iterator[Path]:
    """Yield a temporary folder to write into, for a folder that several processes may make at once.

    The first process that finishes gives the folder its name; the others delete theirs.

    Args:
        folder: folder to create; its parent exists.
        complete: name of a file that only a complete folder has.
    """
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}.unfinished-", dir=folder.parent))
    try:
        yield unfinished
        unfinished.chmod(0o755)
        _rename_unless_made(unfinished, folder, complete)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _rename_unless_made(unfinished: Path, folder: Path, complete: str) -> None:
    try:
        unfinished.rename(folder)
    except OSError:
        if not (folder / complete).exists():  # no other process has made it meanwhile
            raise


def check_length(folder: Path) -> None:
    """Raise an error if the path of a folder, or of files in it, would be too long."""
    names = (*folder.parts, temporary_path(folder).name)
    name, path = max(len(os.fsencode(part)) for part in names), len(os.fsencode(folder))
    if name > LONGEST_NAME or path > LONGEST_PATH - RESERVED:
        raise GapnetError(
            f"folder={folder}: must have at most {LONGEST_PATH - RESERVED} bytes, and "
            f"{LONGEST_NAME} per name (it has {path}, and {name} in a name); choose shorter names"
        )


def check_inside(path: Path, root: Path) -> None:
    """Raise an error if a path in a folder leads out of it by a symbolic link."""
    target, real_root = Path(os.path.realpath(path)), Path(os.path.realpath(root))
    is_inside = any(path.absolute().is_relative_to(top) for top in (root.absolute(), real_root))
    if is_inside and not target.is_relative_to(real_root):
        raise GapnetError(
            f"{path}: must not be a symbolic link to {target}, outside {root}; remove the link, or "
            "use its target instead"
        )
