"""What the files of a run folder are called, and how one is written."""

import os
from pathlib import Path

CONFIG = "config.yaml"
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


def write_whole(path: Path, content: str | bytes | memoryview) -> None:
    """Write a file under a temporary name, and rename it when it is complete and on the disk."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Have a new name in a folder outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
