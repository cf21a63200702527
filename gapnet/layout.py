"""What the files of a run folder are called, and how one is written."""

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


def write_whole(path: Path, text: str) -> None:
    """Write a file under a temporary name, and rename it when it is complete."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(text)
    unfinished.replace(path)
