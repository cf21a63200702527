"""Figures as rows of text, the same in every output."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.table import Table

from gapnet.evaluation.score import Figure

NAMES = {
    "top1_error": "top-1 classification error",
    "top5_error": "top-5 classification error",
    "top1_localization_error": "top-1 localization error",
    "top5_localization_error": "top-5 localization error",
    "gt_known_error": "ground-truth-known localization error",
    "whole_image_gt_known_error": "  anchor: the whole image as the box",
    "centred_box_gt_known_error": "  anchor: the best centred box",
}
HEADER = ("figure", "error", "95% interval", "n", "threshold", "chosen on")


class TableRow(NamedTuple):
    """Hold one figure as text, in the order of the header."""

    figure: str
    error: str
    interval: str
    n: str
    threshold: str
    chosen_on: str


def table_row(figure: Figure) -> TableRow:
    """Write a figure as text."""
    return TableRow(
        figure=NAMES[figure.metric],
        error=f"{100 * figure.value:.2f}%",
        interval=f"{100 * figure.low:.2f} to {100 * figure.high:.2f}",
        n=f"{figure.n:,}",
        threshold="" if figure.threshold is None else f"{100 * figure.threshold:.0f}%",
        chosen_on=figure.chosen_on or "",
    )


def markdown_table(figures: Sequence[Figure]) -> str:
    """Lay figures out in Markdown."""
    rows = [HEADER, ("---",) * len(HEADER), *map(table_row, figures)]
    return "\n".join(f"| {' | '.join(cell.strip() for cell in row)} |" for row in rows)


def console_table(figures: Sequence[Figure], title: str) -> Table:
    """Lay figures out for the console."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for heading in HEADER:
        table.add_column(
            heading, justify="left" if heading in {"figure", "chosen on"} else "right", no_wrap=True
        )
    for figure in figures:
        table.add_row(*table_row(figure))
    return table
