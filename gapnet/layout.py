"""What the files of a run folder are called, how one is written, and how the first is read."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
LOGS = "logs"  # the folder that holds what TensorBoard and plots read
CURVES = Path(LOGS, "metrics.csv")
POSTMORTEM = "postmortem"  # the folder of a training that met numbers which are none


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a temporary name to write a file under; it has its own when it is all on the disk."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)  # a symbolic link would be written through
    try:
        yield unfinished
        sync(unfinished)
        unfinished.replace(path)
        sync(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def write_whole(path: Path, content: str | bytes | memoryview) -> None:
    """Write a text or bytes so."""
    with whole(path) as unfinished:
        unfinished.write_bytes(content.encode() if isinstance(content, str) else content)


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, outlive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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
