"""Metrics as rows of text, the same in every output."""

from collections.abc import Sequence
from typing import NamedTuple

from gapnet.evaluation.class_errors import ClassErrors, rank
from gapnet.evaluation.score import Metric
from gapnet.report.markdown import text

NAMES = {
    "gt_known_error": "ground-truth-known localization error",
    "max_box_acc": "MaxBoxAcc, an accuracy",
    "max_box_acc_v2": "MaxBoxAccV2, an accuracy",
    "px_ap": "pixel average precision, PxAP",
    "mean_average_precision": "mean average precision over classes",
    "whole_image_gt_known_error": "  baseline: the whole image as the box",
    "centred_box_gt_known_error": "  baseline: the best centred box",
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
HEADER = ("metric", "value", "95% interval", "n", "threshold", "chosen on")
SHOWN = 3  # of the easiest and of the hardest classes


class TableRow(NamedTuple):
    """One metric as text, in the order of the header."""

    metric: str
    value: str
    interval: str
    n: str
    threshold: str
    chosen_on: str


def table_row(metric: Metric) -> TableRow:
    """Return a metric as text."""
    return TableRow(
        metric=NAMES[metric.metric],
        value=f"{100 * metric.value:.2f}%",
        interval=f"{100 * metric.low:.2f} to {100 * metric.high:.2f}",
        n=f"{metric.n:,}",
        threshold="" if metric.threshold is None else f"{100 * metric.threshold:.3g}%",
        chosen_on=metric.chosen_on or "",
    )


def markdown_table(metrics: Sequence[Metric]) -> str:
    """Return a table of metrics in Markdown."""
    rows = [HEADER, ("---",) * len(HEADER), *map(table_row, metrics)]
    return "\n".join(f"| {' | '.join(text(cell.strip()) for cell in row)} |" for row in rows)


def class_rows(by_class: ClassErrors, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return a header and the easiest and hardest classes as text; nothing if there are too few."""
    if not by_class.errors:
        return []
    metric, order = rank(by_class)
    few = min(SHOWN, len(order) // 2)
    if not few:
        return []
    header = (f"by {SHORT[metric]}", "class", "n", *(SHORT[name] for name in by_class.errors))
    rows = [("easiest", index) for index in order[:few]]
    rows += [("hardest", index) for index in order[-few:]]
    return [header, *(_class_row(by_class, names, kind, index) for kind, index in rows)]


def all_class_rows(by_class: ClassErrors, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return a header and all classes as text, the hardest first; nothing without errors."""
    if not by_class.errors:
        return []
    _, order = rank(by_class)
    header = ("class", "n", *(SHORT[name] for name in by_class.errors))
    return [header, *(_class_row(by_class, names, "", index)[1:] for index in reversed(order))]


def _class_row(
    by_class: ClassErrors, names: Sequence[str], kind: str, index: int
) -> tuple[str, ...]:
    errors = (f"{100 * error[index]:.1f}%" for error in by_class.errors.values())
    count = int(list(by_class.counts.values())[-1][index])
    return (kind, names[index], f"{count:,}", *errors)
