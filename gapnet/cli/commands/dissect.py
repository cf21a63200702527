"""Label the units of a network by the concepts that they detect (Network Dissection)."""

from typing import TYPE_CHECKING

from omegaconf import DictConfig

from gapnet.cli.commands.evaluate import start_from_run
from gapnet.system.output import print_table, say

if TYPE_CHECKING:
    from gapnet.jobs.dissect_job import Dissected


def complete(arguments: list[str]) -> list[str]:
    """Start from the groups of the run, except those that the arguments name."""
    own = ["view=whole"] if not any(text.startswith("view=") for text in arguments) else []
    return start_from_run([*own, *arguments], "dissect")


def task(cfg: DictConfig) -> None:
    """Dissect a network, or recount tables; print the number of detectors."""
    from pathlib import Path

    from gapnet.config.dissection_jobs import dissect_job, results_of
    from gapnet.errors import GapnetError
    from gapnet.jobs.dissect_job import dissect, recount

    if cfg.results is not None:
        if cfg.run is not None or cfg.published is not None or cfg.checkpoint is not None:
            raise GapnetError("results: recounts tables, without a network; leave out the network")
        _print(recount(results_of(cfg), cfg.min_iou, None if cfg.to is None else Path(cfg.to)))
        return
    outcome = dissect(dissect_job(cfg))
    if outcome is not None:
        _print(outcome)


def _print(outcome: "Dissected") -> None:
    from gapnet.runs.folder import short
    from gapnet.system.value_table import value_table

    title = f"{outcome.title}: detectors (and different concepts)"
    table = value_table(title, ("layer", "units", "all", *outcome.categories))
    for units in outcome.sets:
        summary = units.summary
        cells = [
            f"{summary.by_category[name]} ({summary.unique_by_category[name]})"
            for name in outcome.categories
        ]
        table.add_row(
            units.name, str(summary.units), f"{summary.detectors} ({summary.unique})", *cells
        )
    print_table(table)
    for note in outcome.notes:
        say(note)
    if outcome.page is not None:
        say(f"Open {short(outcome.page)}")
