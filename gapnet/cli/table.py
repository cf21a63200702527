"""`gapnet table`: fill a table of the paper, and lay ours beside the paper's."""

import json
import logging
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, ListConfig

from gapnet.cli.handed import own_keys, refuse_sweep, split
from gapnet.cli.plan import Cell, Job, Plan, ordered
from gapnet.cli.runs import short
from gapnet.cli.search_space import quoted
from gapnet.errors import GapnetError
from gapnet.layout import ENVIRONMENT, METRICS, SUBMISSION, VERDICTS, write_whole

if TYPE_CHECKING:
    from gapnet.evaluation.seeds import Averaged
    from gapnet.report.sheet import Line, Sheet

DRY_RUN = "--dry-run"
TABLES = "tables"  # the folder in RUNS
STAND_IN = "stand-in"  # in the title of a data set
log = logging.getLogger(__name__)


def complete(arguments: list[str]) -> list[str]:
    """Make a list of what the table does not take itself: it is for trainings and evaluations."""
    if {"-m", "--multirun"} & set(arguments):
        raise GapnetError("-m: a table is no sweep; name its rows with rows=[...] and seeds=[...]")
    dry = [each for each in arguments if each != DRY_RUN]
    kept, handed = split(dry, own_keys("table"))
    for each in handed:
        refuse_sweep(each, "a table takes one value for all of its runs")
    said = ["dry_run=true"] if len(dry) < len(arguments) else []
    # Hydra takes a key that is not there only with ++
    kept = [f"++{each}" if each.startswith("checkpoints.") else each for each in kept]
    return [*kept, *said, f"handed=[{','.join(map(quoted, handed))}]"]


def task(cfg: DictConfig) -> None:
    """Fill a table, or say what would be done."""
    _check(cfg)
    handed = [str(each) for each in cfg.handed]
    handed += [f"imports=[{','.join(map(quoted, cfg.imports))}]"] if cfg.imports else []
    plan = Plan(cfg, handed, _compose)
    cells = plan.cells()
    jobs = ordered(cells, plan.submissions())
    if cfg.dry_run:
        _show(cfg, jobs)
        return
    failures = _run(jobs)
    for job in plan.submissions():
        if (job.folder / SUBMISSION).is_dir():
            print(f"submission: {short(job.folder / SUBMISSION)}")
    place = Path(cfg.to) if cfg.to else Path(cfg.runs) / TABLES
    _write(cfg, _sheet(cfg, plan, cells), _judged(cfg, cells), place)
    if failures:
        raise GapnetError(
            f"{len(failures)} of {len(jobs)} commands failed, and their figures are missing; the "
            f"same command goes on: {'; '.join(failures)}"
        )


def _check(cfg: DictConfig) -> None:
    if not (cfg.rows is None or (isinstance(cfg.rows, ListConfig) and cfg.rows)):
        raise GapnetError(f"rows={cfg.rows}: must be a list of rows, or null for all of them")
    listed = isinstance(cfg.seeds, ListConfig) and len(cfg.seeds) > 0
    if not (listed and all(type(each) is int and each >= 0 for each in cfg.seeds)):
        raise GapnetError(f"seeds={cfg.seeds}: must be a list of whole numbers from 0 on")
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
            status = subprocess.run(_command(job), check=False).returncode
            if status or not job.done:
                failures.append(f"{_told(job)} (status {status})")
                broken.add(job.folder)
    return failures


def _command(job: Job) -> list[str]:
    """Give the command line of a job; it ends with this process, however that ends."""
    bound = [sys.executable, "-m", "gapnet.cli.bound", str(os.getpid())]
    return [*bound, job.command, *job.arguments]


def _told(job: Job) -> str:
    """Tell the command as a person would call it."""
    return shlex.join(["python", "-m", "gapnet", job.command, *job.arguments])


def _show(cfg: DictConfig, jobs: Sequence[Job]) -> None:
    """Print what would be done, and about how long it takes."""
    from gapnet.cli.config import build
    from gapnet.cli.estimate import count_images, work_of

    total = 0.0
    for job in jobs:
        if job.done:
            print(f"# is there: {_told(job)}")
            continue
        composed = _compose(job.like)
        lacking = composed.data.get("root") is not None and not Path(composed.data.root).is_dir()
        counts = count_images(None if lacking else build(composed, "data"), composed.split)
        hours = work_of(composed, counts, trains=job.command == "train").hours(cfg.tflops)
        total += hours
        print(f"# about {hours:.3g} GPU hours\n{_told(job)}")
    print(
        f"# together about {total:.3g} hours of a GPU that reaches {cfg.tflops:g} TFLOP/s "
        "(tflops=...), where it need not wait for images"
    )


def _sheet(cfg: DictConfig, plan: Plan, cells: Sequence[Cell]) -> "Sheet":
    """Lay the table out, of what there is."""
    from gapnet.report.sheet import Column, Sheet

    columns = {
        str(key): Column(each.heading, dict(each.get("figures", cfg.table.figures)))
        for key, each in cfg.table.columns.items()
    }
    lines = []
    for key in plan.rows:
        own = {cell.column: cell for cell in cells if cell.row == key}
        found = {
            name: _averages(cfg, cell, list(columns[name].figures.items()))
            for name, cell in own.items()
            if cell.done
        }
        lines.append(_line(plan, key, list(own), found, [own[name] for name in found]))
    done = [cell for cell in cells if cell.done]
    return Sheet(cfg.table.title, columns, lines, _notes(cfg, done))


def _averages(
    cfg: DictConfig, cell: Cell, figures: Sequence[tuple[str, str]]
) -> "dict[str, Averaged | None]":
    from gapnet.evaluation.seeds import average

    runs = [each / VERDICTS for each in cell.folders]
    return {
        label: average(runs, figure, resamples=cfg.resamples, seed=cfg.seed)
        for label, figure in figures
    }


def _line(
    plan: Plan,
    key: str,
    asked: list[str],
    found: "dict[str, dict[str, Averaged | None]]",
    cells: Sequence[Cell],
) -> "Line":
    from gapnet.report.paper import Quoted, quoted
    from gapnet.report.sheet import Line

    row = plan.rows[key]
    paper = quoted(plan.cfg.table.number)[row.paper] if "paper" in row else Quoted(None, None)
    if row.get("quoted"):
        return Line(row.paper, paper, deviates="quoted from the paper")
    network = plan.cfg.table.networks[plan.network_of(key)]
    told = [row.get("deviates"), network.get("deviates")]
    return Line(
        name=row.get("name") or row.paper,
        paper=paper,
        asked=asked,
        found=found,
        commit=_commits(cells),
        deviates="; ".join(each for each in told if each),
    )


def _notes(cfg: DictConfig, cells: Sequence[Cell]) -> list[str]:
    """Say of which data the figures are, and how they were made."""
    folders = [folder for cell in cells for folder in cell.folders]
    data = sorted({json.loads((each / METRICS).read_text())[0]["data"] for each in folders})
    notes = []
    if any(STAND_IN in each for each in data):
        notes.append(
            f"**Figures of ours are of the stand-in data set ({', '.join(data)}). They say nothing "
            "about ILSVRC, which the paper's figures are of.**"
        )
    elif data:
        notes.append(f"Figures of ours are of {', '.join(data)}.")
    notes.append(
        f"Ours are the mean over seeds {', '.join(map(str, cfg.seeds))}, in brackets the 95% "
        "interval over images, and sd, the standard deviation over seeds; ? is not there yet. "
        f"Recipe: {cfg.recipe}; looks: {cfg.looks}."
    )
    command = shlex.join(["python", *sys.orig_argv[1:]])
    hardware = sorted({_hardware(_environment(each)) for each in folders})
    return [*notes, f"Command: `{command}`. Hardware: {'; '.join(hardware)}."]


def _environment(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / ENVIRONMENT).read_text())
    return read


def _hardware(environment: dict[str, Any]) -> str:
    gpus = ", ".join(environment["gpus"]) or "no GPU"
    return f"{environment['cores']} cores, {gpus}, torch {environment['packages']['torch']}"


def _commits(cells: Sequence[Cell]) -> str:
    """Name the commits of the code that made figures; with a + where it had been changed."""
    folders = {folder for cell in cells for folder in cell.folders}
    found = {str(_environment(each)["commit"] or "unknown") for each in folders}
    return ", ".join(sorted(each[:7] + "+" * each.endswith("+") for each in found))


def _judged(cfg: DictConfig, cells: Sequence[Cell]) -> list[str]:
    """Say of each claim whether it held, with a reason."""
    from gapnet.evaluation.claims import Claim, judge
    from gapnet.evaluation.seeds import difference

    by_place = {(cell.row, cell.column): cell for cell in cells if cell.done}
    lines = []
    for each in cfg.table.claims:
        claim = Claim(
            each.says, tuple(each.better), tuple(each.worse), each.figure, each.get("within")
        )
        pair = [by_place.get(place) for place in (claim.better, claim.worse)]
        runs = [[folder / VERDICTS for folder in cell.folders] for cell in pair if cell]
        more = {"resamples": cfg.resamples, "seed": cfg.seed}
        found = difference(runs[0], runs[1], claim.figure, **more) if len(runs) > 1 else None
        verdict, why = ("not known yet", "") if found is None else judge(claim, found)
        lines.append(f"- **{verdict}**: {claim.says}{f' ({why})' if why else ''}")
    return lines


def _write(cfg: DictConfig, sheet: "Sheet", judged: Sequence[str], place: Path) -> None:
    """Write the table in each format, and print it."""
    from gapnet.report.sheet import comma_separated, latex, markdown

    text = "\n".join([markdown(sheet), "What the paper claims, on these figures:", "", *judged, ""])
    name = f"table{cfg.table.number}"
    place.mkdir(parents=True, exist_ok=True)
    for suffix, said in (("md", text), ("tex", latex(sheet)), ("csv", comma_separated(sheet))):
        write_whole(place / f"{name}.{suffix}", said)
    print(text)
    print(f"table: {place / name}.md, .tex, .csv")
