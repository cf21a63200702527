"""Tables and lines of the plan of a training."""

import textwrap

from rich.table import Table

from gapnet.system.value_table import value_table
from gapnet.training.run_plan import Plan

WIDTH = 79  # columns
HOUR, DAY = 3600, 24 * 3600
MIB, GIB = 2**20, 2**30


def plan_tables(plan: Plan) -> list[Table]:
    """Return a table of what was measured, and one of what the training would take."""
    return [_measured_table(plan), _run_table(plan)]


def plan_lines(plan: Plan) -> list[str]:
    """Return the bottleneck, the number of workers to set, and what was assumed."""
    texts = [_bottleneck(plan), *(f"assumed: {text}" for text in plan.assumptions())]
    return [line for text in texts for line in textwrap.wrap(text, WIDTH, subsequent_indent="  ")]


def _measured_table(plan: Plan) -> Table:
    measured, planned = plan.measured, plan.planned
    title = f"{planned.network} on {planned.data}, measured on one device ({measured.device})"
    table = value_table(title, ("", "images/s"))
    workers = f"{measured.workers} worker{'s' * (measured.workers != 1)}"
    table.add_row(f"read training images with {workers}", f"{measured.input_rate:,.1f}")
    table.add_row("train on images in memory", f"{measured.step_rate:,.1f}")
    table.add_row("train on images that are read", f"{measured.train_rate:,.1f}")
    table.add_row("validate", f"{measured.validation_rate:,.1f}")
    return table


def _run_table(plan: Plan) -> Table:
    planned = plan.planned
    device = f"{planned.processes} device{'s' * (planned.processes != 1)}"
    images = f"{planned.images:,} images, {planned.steps:,} steps"
    table = value_table(f"The whole training on {device}: {images}", ("", "estimate"))
    table.add_row("time", duration(plan.seconds))
    table.add_row("  of which training", duration(plan.training_seconds))
    table.add_row("  of which validation", duration(plan.validation_seconds))
    table.add_row("training, if reading images took no time", duration(plan.fastest_seconds))
    table.add_row("device hours", f"{plan.device_hours:,.2f}")
    names = ", ".join(planned.checkpoints)
    table.add_row(f"disk for checkpoints ({names} and one being written)", size(plan.disk_bytes))
    return table


def _bottleneck(plan: Plan) -> str:
    enough, workers = plan.enough_workers, plan.measured.workers
    if plan.is_input_bound:
        return (
            f"bottleneck: reading images; loader.num_workers={enough} per device would be enough, "
            f"{workers} was measured"
        )
    return f"bottleneck: the device; loader.num_workers={enough} per device is enough"


def duration(seconds: float) -> str:
    """Return a time in the unit that fits.

    >>> duration(44.6), duration(5400), duration(90_000), duration(400_000)
    ('45 s', '90 min', '25.0 h', '4.6 days')
    """
    if seconds < 100:  # noqa: PLR2004  (two digits)
        return f"{seconds:.0f} s"
    if seconds < 2 * HOUR:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / HOUR:.1f} h" if seconds < 2 * DAY else f"{seconds / DAY:.1f} days"


def size(count: int) -> str:
    """Return a number of bytes in MiB or GiB.

    >>> size(3 * 2**20), size(5 * 2**29)
    ('3.0 MiB', '2.5 GiB')
    """
    return f"{count / MIB:.1f} MiB" if count < GIB else f"{count / GIB:.1f} GiB"
