"""Creates run folders atomically, and locks them: one process at a time uses a run."""

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from gapnet.errors import GapnetError
from gapnet.runs.environment import environment
from gapnet.runs.folder import is_run
from gapnet.runs.layout import (
    CHECKPOINTS,
    CONFIG,
    ENVIRONMENT,
    FEATURES,
    LOG,
    LOGS,
    MAPS,
    POSTMORTEM,
    PREDICTIONS,
    SUBMISSION,
)
from gapnet.runs.log import RunLog
from gapnet.runs.saved_config import dump
from gapnet.system.files import move_aside, replace_link, temporary_path, write_file
from gapnet.system.folders import atomic_folder, check_inside, claim_folder, lock

# The only files in a folder whose process was killed while it opened the run
BEGUN = {LOG, CONFIG, ENVIRONMENT, *(temporary_path(Path(f)).name for f in (CONFIG, ENVIRONMENT))}
# Files and folders that a continued run adds to; other files, or symbolic links, are replaced
ADDED_TO = (LOG, CHECKPOINTS, LOGS, POSTMORTEM, SUBMISSION, PREDICTIONS, MAPS, FEATURES)
log = logging.getLogger(__name__)


def open_run(
    folder: Path, config: Mapping[str, Any], *, seed: int | None, continues: bool
) -> RunLog:
    """Create a run folder with config.yaml and env.json; return its log, which holds the lock.

    Args:
        folder: of the run.
        config: plain values that describe the run.
        seed: of the run.
        continues: whether an existing run in this folder continues; if not, it is moved aside.
    """
    texts = {
        CONFIG: dump(config),
        ENVIRONMENT: json.dumps(environment(seed), indent=2) + "\n",
    }
    try:
        with claim_folder(folder, _busy(folder)):
            return _open(folder, texts, continues=continues)
    except OSError as error:
        raise GapnetError(
            f"folder={folder}: cannot be written ({error.strerror}); "
            "choose another folder with paths.runs=..."
        ) from error


def link_latest(folder: Path, runs: Path) -> None:
    """Point RUNS/latest at a run, unless a file or folder of the user has this name."""
    runs.mkdir(parents=True, exist_ok=True)
    latest = runs / "latest"
    if latest.exists() and not latest.is_symlink():
        log.warning("%s: is not a symbolic link; it is not updated", latest)
        return
    replace_link(latest, folder)


def _open(folder: Path, texts: Mapping[str, str], *, continues: bool) -> RunLog:
    earlier = is_run(folder) and not continues
    if folder.is_dir() and not earlier:
        _check_own(folder)
        return _fill(folder, texts, busy=_busy(folder))
    if earlier:
        _check_idle(folder)
    with atomic_folder(folder) as unfinished:
        handler = _fill(unfinished, texts, busy=_busy(folder))
        if earlier:
            aside = move_aside(folder)
            log.info("an earlier run with the same configuration was moved to %s", aside)
    handler.baseFilename = str(folder / LOG)
    return handler


def _fill(run: Path, texts: Mapping[str, str], *, busy: str) -> RunLog:
    """Start the log, lock the folder for this process, and write the files of a new run."""
    handler = RunLog(run / LOG)
    logging.getLogger().addHandler(handler)
    try:
        assert handler.stream is not None
        lock(handler.stream, busy)
        for name, text in texts.items():
            write_file(run / name, text)
    except BaseException:
        handler.detach()
        raise
    return handler


def _check_own(folder: Path) -> None:
    """Refuse a folder that holds something other than a run, or links out of the folder."""
    if is_run(folder):
        for path in _written(folder):
            check_inside(path, folder)
    elif not all(_is_begun(path) for path in folder.iterdir()):
        raise GapnetError(
            f"folder={folder}: is not empty and is not a run folder; choose another folder=..."
        )


def _is_begun(path: Path) -> bool:
    """Return whether a file may be left by a process that was killed while it opened the run."""
    return path.name in BEGUN and path.is_file() and not path.is_symlink()


def _written(run: Path) -> list[Path]:
    """List the files and folders that a continued run writes to."""
    splits = [split for name in (PREDICTIONS, MAPS, FEATURES) for split in run.glob(f"{name}/*")]
    return [*(run / name for name in ADDED_TO), *splits]


def _busy(folder: Path) -> str:
    return f"folder={folder}: another process uses this run"


def _check_idle(folder: Path) -> None:
    """Refuse a run that another process uses."""
    with suppress(FileNotFoundError), (folder / LOG).open("r+") as file:  # creates no file
        lock(file, _busy(folder))
