"""Where a training starts: at step 0, or from a checkpoint of this or another run."""

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from gapnet.errors import GapnetError, out_of_memory, reading
from gapnet.jobs.job import Run
from gapnet.models.checkpoint_file import read_checkpoint
from gapnet.runs.folder import find_run, is_run
from gapnet.runs.layout import BEST, CHECKPOINTS, CURVES, LAST, PREVIOUS, TRAINED
from gapnet.system.distributed import gather
from gapnet.system.files import atomic_file, rename_file, write_file
from gapnet.training.metrics_csv import begins_with, rows_of, table_of
from gapnet.training.step_watch import OURS, ROWS, TEXT

AUTO = "auto"
ORDER = (LAST, PREVIOUS, BEST)  # in which the checkpoints of a run are tried
DAMAGED = ".damaged"  # ends the name of a checkpoint that could not be read
log = logging.getLogger(__name__)


class Unusable(NamedTuple):
    """A checkpoint that could not be read, and the error."""

    checkpoint: Path
    error: str


class Start(NamedTuple):
    """Where a training starts; without a checkpoint, at step 0.

    Args:
        checkpoint: a file.
        origin: the run that the checkpoint is of.
        step: the optimiser's.
        curves: the text of metrics.csv by then.
        unusable: checkpoints that were tried before this one.
    """

    checkpoint: Path | None = None
    origin: Path | None = None
    step: int | None = None
    curves: str = ""
    unusable: tuple[Unusable, ...] = ()


def find_start(run: Run, resume: str | None, *, changed: bool = False) -> Start:
    """Find the checkpoint that a training continues from.

    Args:
        run: of the training.
        resume: auto, a run folder or a checkpoint in one; None starts at step 0.
        changed: whether the training may have another configuration than the checkpoint's run.
    """
    if resume is None:
        return Start()
    folder = run.folder.absolute()
    checkpoints = _find(resume, folder)
    if not checkpoints:
        log.info("resume=auto: %s has no checkpoint yet; starting at step 0", folder)
        return Start()
    origin = find_run(checkpoint=str(checkpoints[0]))
    if origin is None:
        raise GapnetError(
            f"resume={checkpoints[0]}: is not in a run folder, so its configuration is unknown; "
            "to start from its weights: model.weights=FILE"
        )
    origin = folder if origin == folder.resolve() else origin  # runs/ may be a link
    _check(run, origin, changed=changed)
    return _first_usable(checkpoints, origin)


def check_agreed(start: Start) -> None:
    """Refuse different checkpoints: every process reads its checkpoint itself."""
    name = None if start.checkpoint is None else start.checkpoint.name
    starts = set(gather([f"{name} (step {start.step})"]))
    if len(starts) > 1:
        raise GapnetError(
            f"resume: the processes read different checkpoints: {', '.join(sorted(starts))}; "
            "all machines must see the same run folder"
        )


def carry_over(start: Start, folder: Path) -> None:
    """Copy checkpoints and metrics.csv to the folder that continues; restore damaged ones."""
    if start.checkpoint is None or start.origin is None:
        return
    best, last = (Path(CHECKPOINTS, f"{name}.ckpt") for name in (BEST, LAST))
    _warn(start, start.origin / best)
    if start.origin != folder:
        _copy(start.origin / best, folder / best)
        _copy(start.checkpoint, folder / last)
    elif start.unusable:
        _set_aside(start.unusable)
        _copy(start.checkpoint, folder / last)
        (folder / TRAINED).unlink(missing_ok=True)  # the end of the training is done again
    _restore_curves(start, start.origin, folder)


def _check(run: Run, origin: Path, *, changed: bool) -> None:
    if not changed:
        run.check_same(origin, advice="to continue, set resume_changed=true")
    elif origin == run.folder.absolute():
        raise GapnetError(
            "resume_changed=true: a changed training needs a new folder; choose one with folder=..."
        )


def _find(resume: str, folder: Path) -> list[Path]:
    """List the checkpoints to try: all of a run, or the file that is named."""
    path = folder if resume == AUTO else Path(resume).resolve()
    if resume != AUTO and path.is_file():
        return [path]
    checkpoints = [path / CHECKPOINTS / f"{name}.ckpt" for name in ORDER]
    there = any(path.is_file() for path in checkpoints)
    if resume == AUTO:
        return checkpoints if there and is_run(folder) else []
    if not there:
        raise GapnetError(
            f"resume={resume}: {checkpoints[0] if path.is_dir() else path} does not exist; name a "
            "run folder or a checkpoint file, or use resume=auto, which starts at step 0 if there "
            "is no checkpoint"
        )
    return checkpoints


def _first_usable(checkpoints: Sequence[Path], origin: Path) -> Start:
    """Return the start from the first checkpoint that is readable."""
    unusable: list[Unusable] = []
    for checkpoint in checkpoints:
        try:
            start = _read(checkpoint, origin)
        except GapnetError as error:
            if _is_passing(error.__cause__):
                raise
            unusable.append(Unusable(checkpoint, str(error)))
        else:
            log.info("continuing from %s, step %d", checkpoint, start.step)
            return start._replace(unusable=tuple(unusable))
    errors = "; ".join(checkpoint.error for checkpoint in unusable)
    advice = "; to start from the beginning, leave out resume=" if len(checkpoints) > 1 else ""
    raise GapnetError(f"resume={errors}{advice}")


def _is_passing(cause: BaseException | None) -> bool:
    """Return whether a file was unreadable for a reason that may pass, so it is not damaged."""
    unread = isinstance(cause, OSError) and not isinstance(cause, FileNotFoundError)
    return unread or out_of_memory(cause)


def _read(checkpoint: Path, origin: Path) -> Start:
    content = read_checkpoint(checkpoint)
    with reading(checkpoint, "is no checkpoint of a training"):
        ours, step = content[OURS], int(content["global_step"])
        curves = ours[TEXT] if TEXT in ours else _first_rows(origin / CURVES, int(ours[ROWS]))
        rows_of(curves)  # it must be CSV
    return Start(checkpoint, origin, step, curves)


def _first_rows(path: Path, count: int) -> str:
    """Return the first rows of metrics.csv, for a checkpoint that has only their number."""
    with reading(path, "is not readable CSV"):
        rows = rows_of(path.read_text())[:count] if path.is_file() else []
    if len(rows) < count:
        log.warning("%s: %d of the first %d rows are missing", path, count - len(rows), count)
    return table_of(rows)


def _warn(start: Start, best: Path) -> None:
    """Log which checkpoints of the run are damaged or missing."""
    if start.unusable:
        errors = "; ".join(checkpoint.error for checkpoint in start.unusable)
        log.warning("%s; continuing from %s, step %s", errors, start.checkpoint, start.step)
    if best.is_file() and start.checkpoint != best:
        try:
            read_checkpoint(best)
        except GapnetError as error:
            log.warning("%s; unless a later epoch is better, evaluate with checkpoint=last", error)


def _set_aside(unusable: Sequence[Unusable]) -> None:
    """Rename damaged checkpoints, so that none becomes the previous one at the next save."""
    for checkpoint, _ in unusable:
        if checkpoint.exists():
            rename_file(checkpoint, checkpoint.with_name(f"{checkpoint.name}{DAMAGED}"))


def _copy(source: Path, target: Path) -> None:
    """Copy a checkpoint, if it is there."""
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(target) as unfinished:
            shutil.copyfile(source, unfinished)


def _restore_curves(start: Start, origin: Path, folder: Path) -> None:
    """Write metrics.csv as the checkpoint has it, unless its beginning is that already."""
    intact = begins_with(origin / CURVES, start.curves)
    if not intact:
        log.warning(
            "%s: differs from the log up to step %s; restored from the checkpoint",
            origin / CURVES,
            start.step,
        )
    if not intact or origin != folder:
        (folder / CURVES).parent.mkdir(parents=True, exist_ok=True)
        write_file(folder / CURVES, start.curves)
