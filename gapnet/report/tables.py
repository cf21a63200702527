"""Figures as rows of text, the same in every output."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.table import Table

from gapnet.evaluation.class_errors import ClassErrors, rank
from gapnet.evaluation.compare import Difference
from gapnet.evaluation.score import Figure
from gapnet.report.markdown import text

NAMES = {
    "gt_known_error": "ground-truth-known localization error",
    "max_box_acc": "MaxBoxAcc, an accuracy",
    "max_box_acc_v2": "MaxBoxAccV2, an accuracy",
    "px_ap": "pixel average precision, PxAP",
    "whole_image_gt_known_error": "  anchor: the whole image as the box",
    "centred_box_gt_known_error": "  anchor: the best centred box",
    "top1_localization_error/wrong_class": "  of which: wrong class",
    "top1_localization_error/several": "  of which: several objects in one box",
    "top1_localization_error/part": "  of which: a part of the object",
    "top1_localization_error/more": "  of which: more than the object",
    "top1_localization_error/elsewhere": "  of which: elsewhere",
}
NAMES |= {f"top{k}_error": f"top-{k} classification error" for k in range(1, 6)}
NAMES |= {f"top{k}_localization_error": f"top-{k} localization error" for k in range(1, 6)}
SHORT = {
    "top1_error": "top-1 error",
    "top1_localization_error": "top-1 localization",
    "top5_localization_error": "top-5 localization",
    "gt_known_error": "ground-truth-known",
}
HEADER = ("figure", "value", "95% interval", "n", "threshold", "chosen on")
SPREAD = ("top1_localization_error", "top5_localization_error", "gt_known_error")
SHOWN = 3  # of the easiest and of the hardest classes


class TableRow(NamedTuple):
    """Hold one figure as text, in the order of the header."""

    figure: str
    value: str
    interval: str
    n: str
    threshold: str
    chosen_on: str


def table_row(figure: Figure) -> TableRow:
    """Write a figure as text."""
    return TableRow(
        figure=NAMES[figure.metric],
        value=f"{100 * figure.value:.2f}%",
        interval=f"{100 * figure.low:.2f} to {100 * figure.high:.2f}",
        n=f"{figure.n:,}",
        threshold="" if figure.threshold is None else f"{100 * figure.threshold:.3g}%",
        chosen_on=figure.chosen_on or "",
    )


def markdown_table(figures: Sequence[Figure]) -> str:
    """Lay figures out in Markdown."""
    rows = [HEADER, ("---",) * len(HEADER), *map(table_row, figures)]
    return "\n".join(f"| {' | '.join(text(cell.strip()) for cell in row)} |" for row in rows)


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


def spread_table(figures: Sequence[Figure], title: str) -> Table:
    """Lay out what different protocols say, one a row, at the fixed threshold and at the oracle."""
    wanted = [(metric, "fixed") for metric in SPREAD] + [("gt_known_error", "oracle")]
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("protocol")
    for metric, by in wanted:
        oracle = ", oracle" if by == "oracle" else ""
        table.add_column(SHORT[metric] + oracle, justify="right")
    for protocol in dict.fromkeys(figure.protocol for figure in figures):
        own = [figure for figure in figures if figure.protocol == protocol]
        table.add_row(protocol, *(_cell(own, metric, by) for metric, by in wanted))
    return table


def difference_table(differences: Sequence[Difference], title: str) -> Table:
    """Lay out how two runs differ."""
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("figure")
    for heading in ("a", "b", "b - a", "95% interval", "n", "only a right", "only b right"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in differences:
        interval = f"{100 * each.low:+.2f} to {100 * each.high:+.2f}"
        counts = (f"{each.n:,}", str(len(each.only_a)), str(len(each.only_b)))
        values = (f"{100 * each.a:.2f}%", f"{100 * each.b:.2f}%", f"{100 * each.difference:+.2f}")
        table.add_row(each.figure, *values, interval, *counts)
    return table


def class_rows(found: ClassErrors, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Write the easiest and the hardest classes as text, under a header; none if there are few."""
    if not found.errors:
        return []
    metric, order = rank(found)
    few = min(SHOWN, len(order) // 2)
    if not few:
        return []
    header = (f"by {SHORT[metric]}", "class", "n", *(SHORT[each] for each in found.errors))
    rows = [("easiest", index) for index in order[:few]]
    rows += [("hardest", index) for index in order[-few:]]
    return [header, *(_class_row(found, names, kind, index) for kind, index in rows)]


def class_table(rows: Sequence[Sequence[str]]) -> Table:
    """Lay out the easiest and the hardest classes for the console."""
    header, *classes = rows
    table = Table()
    for place, heading in enumerate(header):
        table.add_column(heading, justify="left" if place < 2 else "right", no_wrap=True)  # noqa: PLR2004
    for row in classes:
        table.add_row(*row)
    return table


def _class_row(found: ClassErrors, names: Sequence[str], kind: str, index: int) -> tuple[str, ...]:
    errors = (f"{100 * each[index]:.1f}%" for each in found.errors.values())
    count = int(list(found.counts.values())[-1][index])
    return (kind, names[index], f"{count:,}", *errors)


def _cell(figures: Sequence[Figure], metric: str, by: str) -> str:
    found = [
        figure
        for figure in figures
        if figure.metric == metric and by in (figure.chosen_on or "fixed")
    ]
    return f"{100 * found[0].value:.2f}%" if found else ""
