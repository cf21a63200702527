"""Atomic writes of files, and reading with errors that name the file."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gapnet.errors import reading


@contextmanager
def atomic_file(path: Path, *, earlier: Path | None = None, durable: bool = True) -> Iterator[Path]:
    """Yield a temporary path to write to; if the block succeeds, the file is renamed to `path`.

    Args:
        path: path of the file.
        earlier: new path of a file that already has this name.
        durable: whether the file must survive a power cut.
    """
    with name_errors(path), _temporary(path) as unfinished:
        yield unfinished
        if durable:
            flush_to_disk(unfinished)
        if earlier is not None and path.exists():
            _link(path, earlier)
        unfinished.replace(path)
        if durable:
            flush_to_disk(path.parent)


def write_file(
    path: Path, content: str | bytes | memoryview, *, earlier: Path | None = None
) -> None:
    """Write a text or bytes atomically."""
    with atomic_file(path, earlier=earlier) as unfinished:
        unfinished.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def name_errors(path: Path) -> Iterator[None]:
    """Add the path to an OSError that does not name a file."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def temporary_path(path: Path) -> Path:
    """Return the path that a file or folder has while it is written."""
    return path.with_name(f".{path.name}.unfinished")


@contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    """Yield the temporary path; delete a file that is still there afterwards."""
    unfinished = temporary_path(path)
    unfinished.unlink(missing_ok=True)  # writing to a symbolic link would change its target
    try:
        yield unfinished
    finally:
        unfinished.unlink(missing_ok=True)


def _link(path: Path, name: Path) -> None:
    """Give a file a second name; on file systems without hard links, rename it."""
    link = temporary_path(name)
    link.unlink(missing_ok=True)
    try:
        link.hardlink_to(path)
    except OSError:
        path.replace(name)
    else:
        link.replace(name)
        link.unlink(missing_ok=True)  # it still exists if both names already were one file


def flush_to_disk(path: Path) -> None:
    """Flush a file, or the names in a folder, so that it survives a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def rename_file(path: Path, new_path: Path) -> None:
    """Rename a complete file; a file that has the new name is replaced."""
    path.replace(new_path)


def free_name(path: Path) -> Path:
    """Return the path with the first number after its name that no file has."""
    number = 1
    while os.path.lexists(numbered := path.with_name(f"{path.name}.{number}")):
        number += 1
    return numbered


def move_aside(path: Path) -> Path:
    """Rename a file or folder to a name with a number; return the new path."""
    aside = free_name(path)
    path.rename(aside)
    return aside


def replace_link(link: Path, target: Path) -> None:
    """Make a symbolic link to a target, by a relative path; an older link is replaced."""
    fresh = link.with_name(f".{link.name}-{os.getpid()}")
    fresh.unlink(missing_ok=True)  # left by a killed process with the same id
    start = os.path.realpath(link.parent)
    fresh.symlink_to(os.path.relpath(os.path.realpath(target), start))
    fresh.replace(link)


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    with reading(path, "is not readable JSON"):
        return json.loads(path.read_text(encoding="utf-8"))
