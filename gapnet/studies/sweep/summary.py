"""The jobs of a sweep in one table: the seeds of a setting become a mean and a deviation."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, NamedTuple

from gapnet.runs.layout import METRICS
from gapnet.system.files import atomic_file, read_json
from gapnet.system.output import say, show
from gapnet.text.spreadsheet import write_rows

if TYPE_CHECKING:
    from rich.table import Table

FIGURES = ("top1_error", "top5_error", "top1_localization_error", "gt_known_error")
OWN = (None, "fixed")  # who chose a threshold: nobody, or the boxer itself
SEED = "seed="
ALL = "all jobs"  # where nothing but the seed varies


class Job(NamedTuple):
    """Hold what became of a job of a sweep: the folder of its run, or its error in one line."""

    overrides: tuple[str, ...]
    folder: str | None
    error: str | None


class Group(NamedTuple):
    """Hold the figures of the jobs that differ in nothing but the seed.

    Args:
        name: what the group has that others have not.
        seeds: number of finished jobs.
        figures: metric -> mean and sample deviation, which one seed does not have.
    """

    name: str
    seeds: int
    figures: dict[str, tuple[float, float | None]]


def groups_of(jobs: Sequence[Job]) -> list[Group]:
    """Group the jobs that finished by their overrides but for the seed, in the sweep's order."""
    named = {job: name_of(job, jobs, but=SEED) for job in jobs if job.folder is not None}
    return [
        _group(name, [job for job in named if named[job] == name])
        for name in dict.fromkeys(named.values())
    ]


def name_of(job: Job, jobs: Sequence[Job], *, but: str | None = None) -> str:
    """Name a job by the overrides that not all jobs share, leaving out one key."""
    shared = set(jobs[0].overrides).intersection(*(each.overrides for each in jobs))
    own = [each for each in job.overrides if each not in shared]
    return " ".join(each for each in own if but is None or not each.startswith(but)) or ALL


def _group(name: str, jobs: Sequence[Job]) -> Group:
    read = [figures_in(Path(job.folder or "")) for job in jobs]
    figures = {}
    for metric in FIGURES:
        values = [each[metric] for each in read if metric in each]
        if values:
            figures[metric] = (mean(values), stdev(values) if len(values) > 1 else None)
    return Group(name, len(jobs), figures)


def figures_in(folder: Path) -> dict[str, float]:
    """Read the summary's figures of a run by its first protocol; none if it was not evaluated."""
    path = folder / METRICS
    found: dict[str, float] = {}
    for each in read_json(path) if path.is_file() else ():
        metric = each["metric"]
        if metric in FIGURES and each["chosen_on"] in OWN:
            found.setdefault(metric, each["value"])
    return found


def print_summary(groups: Sequence[Group], jobs: Sequence[Job]) -> None:
    """Print the table, and below it the jobs that failed."""
    if any(group.figures for group in groups):
        show(_table(groups, f"Sweep of {len(jobs)} jobs, mean ± deviation over seeds"))
    for job in jobs:
        if job.error is not None:
            say(f"failed: {name_of(job, jobs)}: {job.error}")


def _table(groups: Sequence[Group], title: str) -> "Table":
    from rich.table import Table

    from gapnet.report.tables import SHORT

    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("jobs", overflow="fold")
    table.add_column("seeds", justify="right")
    shown = [metric for metric in FIGURES if any(metric in group.figures for group in groups)]
    for metric in shown:
        table.add_column(SHORT.get(metric, "top-5 error"), justify="right", no_wrap=True)
    for group in groups:
        cells = (_cell(*group.figures.get(metric, (None, None))) for metric in shown)
        table.add_row(group.name, str(group.seeds), *cells)
    return table


def _cell(middle: float | None, deviation: float | None) -> str:
    if middle is None:
        return ""
    return f"{100 * middle:.2f}%" + (f" ± {100 * deviation:.2f}" if deviation is not None else "")


def write_summary(groups: Sequence[Group], jobs: Sequence[Job], path: Path) -> None:
    """Write a row for each group and one for each job that failed; errors are fractions."""
    with (
        atomic_file(path) as unfinished,
        unfinished.open("w", newline="", encoding="utf-8") as file,
    ):
        write_rows(file, _rows(groups, jobs))


def _rows(groups: Sequence[Group], jobs: Sequence[Job]) -> Iterator[list[object]]:
    pairs = [(metric, f"{metric}/deviation") for metric in FIGURES]
    yield ["jobs", "seeds", *chain(*pairs), "error"]
    for group in groups:
        values = (group.figures.get(metric, (None, None)) for metric in FIGURES)
        yield [group.name, group.seeds, *chain(*values), None]
    blank = [None] * (2 * len(FIGURES))
    for job in jobs:
        if job.error is not None:
            yield [name_of(job, jobs), 0, *blank, job.error]
