"""Run folders: opened by one process at a time, whole or not at all, and linked as the latest."""

import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from omegaconf import DictConfig

from gapnet.config.run_folder import check_same, description_of, is_run, log_to, run_of
from gapnet.errors import GapnetError
from gapnet.runs.layout import (
    CHECKPOINTS,
    CONFIG,
    ENVIRONMENT,
    LOG,
    LOGS,
    MAPS,
    POSTMORTEM,
    PREDICTIONS,
    SUBMISSION,
)
from gapnet.system.files import write_file
from gapnet.system.folders import atomic_folder, check_inside, check_length, claim_folder, lock
from gapnet.system.ranks import is_first

# All that a folder may hold if its process was killed while it was opened
BEGUN = {LOG, *(name for each in (CONFIG, ENVIRONMENT) for name in (each, f".{each}.unfinished"))}
# What a run adds to; other files are replaced, and so are symbolic links among them
ADDED_TO = (LOG, CHECKPOINTS, LOGS, POSTMORTEM, SUBMISSION, PREDICTIONS, MAPS)
log = logging.getLogger(__name__)


def check_place(cfg: DictConfig) -> None:
    """Refuse a run folder that cannot be made, or that a symbolic link leads out of the runs."""
    folder = Path(cfg.folder).absolute()
    check_length(folder)
    check_inside(folder, Path(cfg.paths.runs))


def open_folder(cfg: DictConfig, *, goes_on: bool) -> Path:
    """Start a run in its folder, and describe it: an earlier one goes on, or is moved aside."""
    folder = Path(cfg.folder).absolute()
    texts = description_of(cfg)
    try:
        with claim_folder(folder, _busy(folder)):
            _open(folder, texts, goes_on=goes_on)
    except OSError as error:
        raise GapnetError(
            f"run folder {folder}: cannot be written ({error.strerror}); "
            "choose another place with paths.runs=..."
        ) from error
    return folder


def open_evaluation(cfg: DictConfig) -> Path:
    """Start an evaluation in its folder, or take up one that was interrupted."""
    from gapnet.system.distributed import meet

    folder = Path(cfg.folder).absolute()
    if is_first():
        check_place(cfg)
        run = run_of(*(cfg.get(name) for name in ("run", "checkpoint", "predictions")))
        if run is not None:  # which may be anybody's
            check_inside(folder, run)
        if cfg.resume and is_run(folder):
            check_same(folder, cfg, advice="leave out resume=true, or name another folder=...")
            log.info("taking up %s", folder)
        open_folder(cfg, goes_on=cfg.resume)
    meet()
    return folder


def link_latest(folder: Path, runs: Path) -> None:
    """Point RUNS/latest at a run, unless that is a file or folder of the user's."""
    runs.mkdir(parents=True, exist_ok=True)
    latest = runs / "latest"
    if latest.exists() and not latest.is_symlink():
        log.warning("%s: is not a symbolic link; it is not updated", latest)
        return
    fresh = runs / f".latest-{os.getpid()}"
    fresh.unlink(missing_ok=True)  # of a process that had this number, and was killed
    fresh.symlink_to(os.path.relpath(os.path.realpath(folder), os.path.realpath(runs)))
    fresh.replace(latest)


def _open(folder: Path, texts: Mapping[str, str], *, goes_on: bool) -> None:
    """Make a run folder, whole or not at all; complete one that is there."""
    earlier = is_run(folder) and not goes_on
    if folder.is_dir() and not earlier:
        _check_own(folder)
        _fill(folder, texts, busy=_busy(folder))
        return
    if earlier:
        _check_idle(folder)
    with atomic_folder(folder) as unfinished:
        handler = _fill(unfinished, texts, busy=_busy(folder))
        if earlier:
            _move_aside(folder)
    handler.baseFilename = str(folder / LOG)


def _fill(place: Path, texts: Mapping[str, str], *, busy: str) -> logging.FileHandler:
    """Begin the log, which keeps the folder to this process, and describe the run."""
    handler = log_to(place)
    try:
        assert handler.stream is not None
        lock(handler.stream, busy)
        for name, text in texts.items():
            write_file(place / name, text)
    except BaseException:
        logging.getLogger().removeHandler(handler)
        handler.close()
        raise
    return handler


def _check_own(folder: Path) -> None:
    """Refuse a folder that holds something other than a run, or a run that lies elsewhere."""
    if is_run(folder):
        for place in _written(folder):
            check_inside(place, folder)
    elif not all(_is_begun(each) for each in folder.iterdir()):
        raise GapnetError(
            f"run folder {folder}: is not empty and is not a run folder; choose another"
        )


def _is_begun(path: Path) -> bool:
    """Tell whether a file is of a run whose process was killed while it was opened."""
    return path.name in BEGUN and path.is_file() and not path.is_symlink()


def _written(run: Path) -> list[Path]:
    """List what a run that goes on adds to, or writes into."""
    splits = [split for each in (PREDICTIONS, MAPS) for split in run.glob(f"{each}/*")]
    return [*(run / each for each in ADDED_TO), *splits]


def _busy(folder: Path) -> str:
    return f"run folder {folder}: another process is at work on this run"


def _check_idle(folder: Path) -> None:
    """Refuse a run that another process is at work on."""
    with suppress(FileNotFoundError), (folder / LOG).open("r+") as file:  # makes no file
        lock(file, _busy(folder))


def _move_aside(folder: Path) -> None:
    number = 1
    while os.path.lexists(aside := folder.with_name(f"{folder.name}.{number}")):
        number += 1
    folder.rename(aside)
    log.info("an earlier run with the same configuration was moved to %s", aside)
