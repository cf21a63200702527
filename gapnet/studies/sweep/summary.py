"""Table of the jobs of a sweep: jobs that differ only by the seed become a mean and a deviation."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from statistics import mean, stdev
from typing import NamedTuple

from rich.table import Table
from rich.text import Text

from gapnet.runs.layout import METRICS
from gapnet.runs.metric_choice import MetricChoice
from gapnet.system.files import atomic_file, read_json
from gapnet.system.output import print_table, say
from gapnet.system.value_table import value_table
from gapnet.text.spreadsheet import write_rows

HEADINGS = {
    "top1_error": "top-1\nerror",
    "top5_error": "top-5\nerror",
    "top1_localization_error": "top-1\nlocali-\nzation",
    "gt_known_error": "ground-\ntruth-\nknown",
}
SEED = "seed="
ALL = "all jobs"  # the name of a group if all jobs are in it


class SweepJob(NamedTuple):
    """A finished job of a sweep: the folder of its run, or its error in one line."""

    overrides: tuple[str, ...]
    folder: str | None
    error: str | None


class SweepGroup(NamedTuple):
    """The jobs that differ only by the seed.

    Args:
        name: the overrides that other groups do not have.
        seeds: number of finished jobs.
        metrics: mean and sample deviation by metric; one seed has no deviation.
    """

    name: str
    seeds: int
    metrics: dict[str, tuple[float, float | None]]


def group_jobs(jobs: Sequence[SweepJob]) -> list[SweepGroup]:
    """Group the jobs that have a run by their overrides except the seed, in the sweep's order."""
    names = {job: name_of(job, jobs, without=SEED) for job in jobs if job.folder is not None}
    return [
        _group(name, [job for job in names if names[job] == name])
        for name in dict.fromkeys(names.values())
    ]


def name_of(job: SweepJob, jobs: Sequence[SweepJob], *, without: str | None = None) -> str:
    """Name a job by the overrides that not all jobs share, without one key."""
    shared = set(jobs[0].overrides).intersection(*(other.overrides for other in jobs))
    own = [override for override in job.overrides if override not in shared]
    named = [override for override in own if without is None or not override.startswith(without)]
    return " ".join(named) or ALL


def _group(name: str, jobs: Sequence[SweepJob]) -> SweepGroup:
    runs = [read_metrics(Path(job.folder or "")) for job in jobs]
    metrics = {}
    for metric in HEADINGS:
        values = [run[metric] for run in runs if metric in run]
        if values:
            metrics[metric] = (mean(values), stdev(values) if len(values) > 1 else None)
    return SweepGroup(name, len(jobs), metrics)


def read_metrics(folder: Path) -> dict[str, float]:
    """Read the metrics of the summary from a run, by its first protocol; none if not evaluated."""
    path = folder / METRICS
    rows = read_json(path) if path.is_file() else []
    chosen = {metric: MetricChoice(metric).row(rows) for metric in HEADINGS}
    return {metric: float(str(row["value"])) for metric, row in chosen.items() if row is not None}


def print_summary(groups: Sequence[SweepGroup], jobs: Sequence[SweepJob]) -> None:
    """Print the table, and below it the jobs that failed."""
    if any(group.metrics for group in groups):
        print_table(
            summary_table(groups, f"Sweep of {len(jobs)} jobs, mean ± deviation over seeds")
        )
    for job in jobs:
        if job.error is not None:
            say(f"failed: {name_of(job, jobs)}: {job.error}")


def summary_table(groups: Sequence[SweepGroup], title: str) -> Table:
    """Return the table of a sweep, with a row per group."""
    shown = [metric for metric in HEADINGS if any(metric in group.metrics for group in groups)]
    table = value_table(title, ("jobs", "seeds", *(HEADINGS[metric] for metric in shown)))
    for group in groups:
        cells = (_cell(*group.metrics.get(metric, (None, None))) for metric in shown)
        table.add_row(group.name, str(group.seeds), *cells)
    return table


def _cell(middle: float | None, deviation: float | None) -> Text:
    if middle is None:
        return Text()
    lines = [f"{100 * middle:.2f}%", *([] if deviation is None else [f"± {100 * deviation:.2f}"])]
    return Text("\n".join(lines))


def write_summary(groups: Sequence[SweepGroup], jobs: Sequence[SweepJob], path: Path) -> None:
    """Write one row per group and per failed job; metrics are fractions."""
    with (
        atomic_file(path) as unfinished,
        unfinished.open("w", newline="", encoding="utf-8") as file,
    ):
        write_rows(file, _rows(groups, jobs))


def _rows(groups: Sequence[SweepGroup], jobs: Sequence[SweepJob]) -> Iterator[list[object]]:
    pairs = [(metric, f"{metric}/deviation") for metric in HEADINGS]
    yield ["jobs", "seeds", *chain(*pairs), "error"]
    for group in groups:
        values = (group.metrics.get(metric, (None, None)) for metric in HEADINGS)
        yield [group.name, group.seeds, *chain(*values), None]
    blank = [None] * (2 * len(HEADINGS))
    for job in jobs:
        if job.error is not None:
            yield [name_of(job, jobs), 0, *blank, job.error]
