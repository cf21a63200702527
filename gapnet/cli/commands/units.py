"""Show the units that are specific to classes, and measure what removing them does."""

from omegaconf import DictConfig

from gapnet.cli.commands.evaluate import start_from_run
from gapnet.system.output import print_table, say


def complete(arguments: list[str]) -> list[str]:
    """Start from the groups of the run, except those that the arguments name."""
    own = ["view=whole"] if not any(text.startswith("view=") for text in arguments) else []
    return start_from_run([*own, *arguments], "units")


def task(cfg: DictConfig) -> None:
    """Find the units of classes, and print the accuracies with and without them."""
    from gapnet.config.dissection_jobs import units_job
    from gapnet.jobs.units_job import units
    from gapnet.runs.folder import short
    from gapnet.system.value_table import value_table

    found = units(units_job(cfg))
    if found is None:
        return
    headings = ("class", "units", "this class", "without", "others", "without")
    table = value_table(f"{found.title}: accuracy with and without units", headings)
    for row in found.rows:
        accuracies = [f"{100 * value:.1f}%" for value in row.accuracy]
        table.add_row(row.name, " ".join(map(str, row.units)), *accuracies)
    print_table(table)
    say(f"Open {short(found.page)}")
