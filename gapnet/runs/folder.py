"""Finds run folders and checkpoints from paths that a user gives."""

from pathlib import Path

from gapnet.errors import GapnetError
from gapnet.runs.layout import BEST, CHECKPOINTS, CONFIG, ENVIRONMENT, LAST, TRAINED
from gapnet.runs.saved_config import read_saved_config


def is_run(folder: Path) -> bool:
    """Return whether a folder is a run folder."""
    return (folder / CONFIG).is_file() and (folder / ENVIRONMENT).is_file()


def find_run(
    run: str | None = None, checkpoint: str | None = None, predictions: str | None = None
) -> Path | None:
    """Return the run folder at a path, or the one that contains a checkpoint or predictions."""
    if run is not None:
        if not (Path(run) / CONFIG).is_file():
            raise GapnetError(f"run={run}: is not a run folder (there is no {Path(run) / CONFIG})")
        return Path(run).resolve()
    if checkpoint is not None:
        folder = Path(checkpoint).resolve().parent
        inside = folder.name == CHECKPOINTS and (folder.parent / CONFIG).is_file()
        return folder.parent if inside else None
    if predictions is not None:
        path = Path(predictions).resolve()
        return next((folder for folder in (path, *path.parents) if is_run(folder)), None)
    return None


def find_checkpoint(run: Path | None, checkpoint: str | None) -> Path:
    """Return a checkpoint: a file, the best or last of a run, or the one that the run evaluated."""
    path = named_checkpoint(run, checkpoint)
    if path.is_file():
        return path
    if run is not None and path.parent == run / CHECKPOINTS:
        raise GapnetError(_missing(run, path))
    raise GapnetError(f"checkpoint={path}: no such file; choose {BEST}, {LAST} or a file")


def named_checkpoint(run: Path | None, checkpoint: str | None) -> Path:
    """Return the path of a checkpoint, which may not be there."""
    if run is not None and checkpoint is None:
        checkpoint = read_saved_config(run).get("checkpoint", BEST)
    if run is not None and checkpoint in (BEST, LAST):
        return run / CHECKPOINTS / f"{checkpoint}.ckpt"
    return Path(str(checkpoint))


def _missing(run: Path, path: Path) -> str:
    """Say why a run lacks a checkpoint, and what to do."""
    interrupted = not (run / TRAINED).is_file()
    problem = "interrupted before its first validation" if interrupted else f"no {path.name}"
    last = path.with_name(f"{LAST}.ckpt").is_file()
    remedy = f"checkpoint={LAST}, or " if last else ""
    return f"run={short(run)}: {problem}; {remedy}continue with gapnet train ... resume=auto"


def short(path: Path) -> Path:
    """Return a path relative to the current folder if it is inside it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
