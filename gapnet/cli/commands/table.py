"""Fill a table of the paper: our results beside the paper's."""

import difflib
import logging
import shlex
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig, ListConfig, OmegaConf

from gapnet.config.build import build
from gapnet.config.groups import SET_BY_TABLES
from gapnet.config.overrides import own_keys, quoted, refuse_sweep, root_of, split
from gapnet.errors import GapnetError
from gapnet.runs.folder import short
from gapnet.runs.layout import SUBMISSION
from gapnet.studies.table.collect import judged, sheet_of
from gapnet.studies.table.plan import Job, Plan, ordered
from gapnet.system.child_process import call, gapnet_command
from gapnet.system.files import write_file
from gapnet.system.folders import check_inside, check_length
from gapnet.system.output import say
from gapnet.text.redact import redact_arguments

if TYPE_CHECKING:
    from gapnet.report.paper_table import Sheet

DRY_RUN = "--dry-run"
TABLES = "tables"  # the folder in RUNS
log = logging.getLogger(__name__)


def complete(arguments: list[str]) -> list[str]:
    """Make a list of what the table does not take itself: it is for trainings and evaluations."""
    if {"-m", "--multirun"} & set(arguments):
        raise GapnetError("-m: a table is no sweep; name its rows with rows=[...] and seeds=[...]")
    dry = [each for each in arguments if each != DRY_RUN]
    own, theirs = own_keys("table"), own_keys("train")
    kept, handed = split(dry, own)
    for each in handed:
        _check_known(str(root_of(each)), own, theirs)
        refuse_sweep(each, "a table takes one value for all of its runs")
        if root_of(each) in SET_BY_TABLES or each.startswith("model="):
            raise GapnetError(
                f"{each}: a table chooses this itself; choose rows=[...] and recipe=..., or "
                "override table.rows, table.columns or table.networks"
            )
    said = ["dry_run=true"] if len(dry) < len(arguments) else []
    # Hydra takes a key that is not there only with ++
    kept = [f"++{each}" if each.startswith("checkpoints.") else each for each in kept]
    return [*kept, *said, f"handed=[{','.join(map(quoted, handed))}]"]


def _check_known(root: str, own: set[str], theirs: set[str]) -> None:
    """Refuse a key that neither a table nor a training has."""
    if root in own | theirs:
        return
    near = difflib.get_close_matches(root, sorted(own | theirs), n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise GapnetError(
        f"{root}: no such key; {hint}a table takes {', '.join(sorted(own - {'hydra', 'handed'}))}, "
        "and what train takes"
    )


def task(cfg: DictConfig) -> None:
    """Fill a table, or say what would be done."""
    _check(cfg)
    place = Path(cfg.to) if cfg.to else Path(cfg.runs) / TABLES
    check_length(place.absolute())
    check_inside(place, Path(cfg.runs))
    handed = [str(each) for each in OmegaConf.to_container(cfg.handed, resolve=False) or ()]
    handed += [f"imports=[{','.join(map(quoted, cfg.imports))}]"] if cfg.imports else []
    plan = Plan(cfg, handed, _compose)
    cells = plan.cells()
    jobs = ordered(cells, plan.submissions())
    if cfg.dry_run:
        _show(cfg, jobs)
        return
    left = [job for job in jobs if not job.done]
    if left:
        build(_compose(left[0].like), "data")  # what is wrong with it shows before the work
    failures = _run(jobs)
    for job in plan.submissions():
        if (job.folder / SUBMISSION).is_dir():
            say(f"submission: {short(job.folder / SUBMISSION)}")
    _write(cfg, sheet_of(plan, cells), judged(cfg, cells), place)
    if failures:
        raise GapnetError(
            f"{len(failures)} of {len(jobs)} commands failed, and figures are missing; the same "
            f"command goes on: {failures[0]}{', ...' if len(failures) > 1 else ''}"
        )


def _check(cfg: DictConfig) -> None:
    if not (cfg.rows is None or (isinstance(cfg.rows, ListConfig) and cfg.rows)):
        raise GapnetError(f"rows={cfg.rows}: must be a list of rows, or null for all of them")
    listed = isinstance(cfg.seeds, ListConfig) and len(cfg.seeds) > 0
    if not (listed and all(type(each) is int and each >= 0 for each in cfg.seeds)):
        raise GapnetError(f"seeds={cfg.seeds}: must be a list of whole numbers from 0 on")
    if len(set(cfg.seeds)) < len(cfg.seeds):
        raise GapnetError(f"seeds={cfg.seeds}: must be different ones")
    if type(cfg.resamples) is not int or cfg.resamples < 1:
        raise GapnetError(f"resamples={cfg.resamples}: must be a whole number from 1 on")
    if not (isinstance(cfg.tflops, int | float) and cfg.tflops > 0):
        raise GapnetError(f"tflops={cfg.tflops}: must be above 0")
    unknown = [each for each in cfg.checkpoints if each not in cfg.table.networks]
    if unknown:
        known = ", ".join(cfg.table.networks)
        raise GapnetError(f"checkpoints.{unknown[0]}: no such network; there are: {known}")


@cache
def _compose(overrides: tuple[str, ...]) -> DictConfig:
    """Compose the configuration of a training."""
    from hydra import compose

    return compose("train", list(overrides))


def _run(jobs: Sequence[Job]) -> list[str]:
    """Run what is not done, each command in a process of its own; tell which of them failed."""
    failures: list[str] = []
    broken: set[Path] = set()
    for number, job in enumerate(jobs, start=1):
        if job.done:
            log.info("%d of %d: is there: %s", number, len(jobs), job.folder)
        elif any(each in job.folder.parents for each in broken):
            log.info("%d of %d: left out, since its training failed", number, len(jobs))
        else:
            log.info("%d of %d: %s", number, len(jobs), _told(job))
            status = _call(job)
            if status or not job.done:
                failures.append(f"{_told(job)} (status {status})")
                log.error("failed: %s", failures[-1])
                broken.add(job.folder)
    return failures


def _call(job: Job) -> int:
    """Run a command, and give its exit status."""
    try:
        return call(gapnet_command(job.command, job.arguments))
    except KeyboardInterrupt:
        raise GapnetError("interrupted; the same command goes on") from None


def _told(job: Job) -> str:
    """Tell the command as a person would call it."""
    return shlex.join(["python", "-m", "gapnet", job.command, *redact_arguments(job.arguments)])


def _show(cfg: DictConfig, jobs: Sequence[Job]) -> None:
    """Print what would be done, and about how long it takes."""
    from gapnet.studies.table.estimate import count_images, work_of

    total = 0.0
    for job in jobs:
        if job.done:
            say(f"# is there: {_told(job)}")
            continue
        composed = _compose(job.like)
        counts = count_images(composed)
        hours = work_of(composed, counts, trains=job.command == "train").hours(cfg.tflops)
        total += hours
        say(f"# about {hours:.3g} GPU hours")
        say(_told(job))
    say(
        f"# together about {total:.3g} hours of a GPU that reaches {cfg.tflops:g} TFLOP/s "
        "(tflops=...), where it need not wait for images and boxes"
    )


def _write(cfg: DictConfig, sheet: "Sheet", judged: Sequence[str], place: Path) -> None:
    """Write the table in each format, and print it."""
    from gapnet.report.paper_table import comma_separated, latex, markdown

    text = "\n".join([markdown(sheet), "What the paper claims, on these figures:", "", *judged, ""])
    name = f"table{cfg.table.number}"
    place.mkdir(parents=True, exist_ok=True)
    for suffix, said in (("md", text), ("tex", latex(sheet)), ("csv", comma_separated(sheet))):
        write_file(place / f"{name}.{suffix}", said)
    for line in text.splitlines():
        say(line)
    say(f"table: {place / name}.md, .tex, .csv")
