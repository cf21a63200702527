"""What the files of a run folder are called, how one is written, and how the first is read."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from gapnet.errors import GapnetError, reading

CONFIG = "config.yaml"
CHARACTERS, DEPTH = 2**17, 50  # of a configuration at most; gapnet's own has some thousand, and 4
ENVIRONMENT = "env.json"
LOG = "log.txt"
METRICS = "metrics.json"
REPORT = "report.html"
VERDICTS = "verdicts.parquet"
CLASSES = "classes.csv"
UNREADABLE = "unreadable.txt"
TRAINED = "training.json"  # there is none before a training has ended
SUBMISSION = "submission"
PREDICTIONS, MAPS = "predictions", "maps"  # folders, with one for each split
CHECKPOINTS = "checkpoints"
BEST, LAST = "best", "last"  # of the checkpoints
PREVIOUS = "previous"  # the last checkpoint before the last one
LOGS = "logs"  # the folder that holds what TensorBoard and plots read
CURVES = Path(LOGS, "metrics.csv")
POSTMORTEM = "postmortem"  # the folder of a training that met numbers which are none


@contextmanager
def complete(path: Path) -> Iterator[Path]:
    """Give a temporary name to write a file under; it has its own when it is complete."""
    with named(path), _temporary(path) as unfinished:
        yield unfinished
        unfinished.replace(path)


@contextmanager
def whole(path: Path, *, earlier: Path | None = None) -> Iterator[Path]:
    """Give a temporary name to write a file under; it has its own when it is all on the disk.

    Args:
        path: of the file.
        earlier: the name that a file of this path gets when the new one replaces it.
    """
    with named(path), _temporary(path) as unfinished:
        yield unfinished
        sync(unfinished)
        if earlier is not None and path.exists():
            _rename_besides(path, earlier)
        unfinished.replace(path)
        sync(path.parent)


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Add the name of a file to an error of writing it, which lacks it."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


@contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    """Give a temporary name beside a path; nothing is left there."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)  # a symbolic link would be written through
    try:
        yield unfinished
    finally:
        unfinished.unlink(missing_ok=True)


def write_whole(
    path: Path, content: str | bytes | memoryview, *, earlier: Path | None = None
) -> None:
    """Write a text or bytes so."""
    with whole(path, earlier=earlier) as unfinished:
        unfinished.write_bytes(content.encode() if isinstance(content, str) else content)


def _rename_besides(path: Path, name: Path) -> None:
    """Give a file a second name; only that one on file systems without hard links."""
    link = name.with_name(f".{name.name}.unfinished")
    link.unlink(missing_ok=True)
    try:
        link.hardlink_to(path)
    except OSError:
        path.replace(name)
    else:
        link.replace(name)
        link.unlink(missing_ok=True)  # it stays where both names are of one file already


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, outlive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_json(path: Path) -> Any:
    """Read a file of JSON; an error names it."""
    with reading(path, "is not readable JSON"):
        return json.loads(path.read_text(encoding="utf-8"))


def read_config(path: Path) -> str:
    """Read the YAML of a run's configuration; a stranger's can neither do anything nor grow.

    It may hold plain values only: no tags, which could ask for objects, and no aliases, of which a
    few lines unfold to more than fits into memory.
    """
    with reading(path, "is not the configuration of a run"):
        if path.stat().st_size > CHARACTERS:
            raise GapnetError(f"{path}: is not the configuration of a run (it is too large)")
        text, depth = path.read_text(encoding="utf-8"), 0
        for event in yaml.parse(text, yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            named = isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None)
            if named or getattr(event, "tag", None) or depth > DEPTH:
                where = event.start_mark.line + 1
                raise GapnetError(
                    f"{path}: is not the configuration of a run (line {where} is no plain value)"
                )
    return text
