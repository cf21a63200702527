"""Run folders and checkpoints, found by what a user names."""

from pathlib import Path

from gapnet.errors import GapnetError
from gapnet.runs.layout import BEST, CHECKPOINTS, CONFIG, ENVIRONMENT, LAST
from gapnet.runs.saved_config import read_saved_config


def is_run(folder: Path) -> bool:
    """Return whether a folder is that of a run."""
    return (folder / CONFIG).is_file() and (folder / ENVIRONMENT).is_file()


def find_run(
    run: str | None = None, checkpoint: str | None = None, predictions: str | None = None
) -> Path | None:
    """Return the run folder that is named, or that a checkpoint or predictions lie in."""
    if run is not None:
        if not (Path(run) / CONFIG).is_file():
            raise GapnetError(f"run={run}: is no run folder (there is no {Path(run) / CONFIG})")
        return Path(run).resolve()
    if checkpoint is not None:
        place = Path(checkpoint).resolve().parent
        inside = place.name == CHECKPOINTS and (place.parent / CONFIG).is_file()
        return place.parent if inside else None
    if predictions is not None:
        place = Path(predictions).resolve()
        return next((folder for folder in (place, *place.parents) if is_run(folder)), None)
    return None


def find_checkpoint(run: Path | None, checkpoint: str | None) -> Path:
    """Return a checkpoint: a file, the best or last of a run, or the one that the run evaluated."""
    if run is not None and checkpoint is None:
        checkpoint = read_saved_config(run).get("checkpoint", BEST)
    if run is not None and checkpoint in (BEST, LAST):
        return run / CHECKPOINTS / f"{checkpoint}.ckpt"
    path = Path(str(checkpoint))
    if not path.is_file():
        raise GapnetError(f"checkpoint {path}: no such file; name {BEST}, {LAST} or a file")
    return path


def short(path: Path) -> Path:
    """Return a path relative to the current folder if it lies below it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
