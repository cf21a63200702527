"""Where a training starts: afresh, or from a checkpoint of its own or of another run."""

import logging
import shutil
from pathlib import Path
from typing import NamedTuple

from omegaconf import DictConfig

from gapnet.cli.runs import check_same, is_run, run_of
from gapnet.cli.trained import read_trained
from gapnet.errors import GapnetError
from gapnet.layout import BEST, CHECKPOINTS, CURVES, LAST
from gapnet.models.files import read_checkpoint
from gapnet.training.watch import OURS

AUTO = "auto"
log = logging.getLogger(__name__)


class Start(NamedTuple):
    """Tell what a training goes on from; without a checkpoint it starts afresh.

    origin: the run that the checkpoint is of. step: the optimiser's. rows: of the curves, by then.
    """

    checkpoint: Path | None = None
    origin: Path | None = None
    step: int | None = None
    rows: int = 0


def start_of(cfg: DictConfig) -> Start:
    """Find the checkpoint that is asked for, and hold its run's configuration against this one."""
    if cfg.resume is None:
        return Start()
    folder = Path(cfg.folder).absolute()
    checkpoint = _find(str(cfg.resume), folder)
    if checkpoint is None:
        log.info("resume=auto: %s has no checkpoint yet; starting afresh", folder)
        return Start()
    origin = run_of(None, str(checkpoint))
    if origin is None:
        raise GapnetError(
            f"resume={checkpoint}: does not lie in a run folder, so nobody knows how it was "
            "trained; to start from its weights: model.weights=FILE"
        )
    _check(cfg, origin, folder)
    return _read(checkpoint, origin)


def _check(cfg: DictConfig, origin: Path, folder: Path) -> None:
    if cfg.trainer.auto_batch:
        cfg.loader.batch_size = read_trained(origin).loader.batch_size  # that was found
    if not cfg.resume_changed:
        check_same(origin, cfg, advice="resume_changed=true goes on all the same")
    elif origin == folder:
        raise GapnetError(
            "resume_changed=true: a training that goes on differently has a folder of its own; "
            "name another with folder=..."
        )


def carry_over(start: Start, folder: Path) -> None:
    """Bring what the training has so far to the folder where it goes on."""
    if start.checkpoint is None or start.origin is None or start.origin == folder:
        return
    best, last = (Path(CHECKPOINTS, f"{name}.ckpt") for name in (BEST, LAST))
    for place, part in {
        best: start.origin / best,
        last: start.checkpoint,
        CURVES: start.origin / CURVES,
    }.items():
        if part.is_file():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(part, folder / place)


def _find(resume: str, folder: Path) -> Path | None:
    if resume == AUTO:
        last = folder / CHECKPOINTS / f"{LAST}.ckpt"
        return last if last.is_file() and is_run(folder) else None
    path = Path(resume).resolve()
    file = path / CHECKPOINTS / f"{LAST}.ckpt" if path.is_dir() else path
    if not file.is_file():
        raise GapnetError(
            f"resume={resume}: there is no {file}; name a run folder or a checkpoint in one, or "
            "auto, which starts afresh where there is none"
        )
    return file


def _read(checkpoint: Path, origin: Path) -> Start:
    content = read_checkpoint(checkpoint)
    try:
        rows, step = content[OURS]["rows"], content["global_step"]
    except (KeyError, TypeError) as error:
        raise GapnetError(
            f"resume={checkpoint}: is no checkpoint of a training (it lacks {error})"
        ) from error
    log.info("going on from %s, step %d", checkpoint, step)
    return Start(checkpoint, origin, int(step), int(rows))
