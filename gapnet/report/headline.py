"""Headline metrics: those that the console shows, one in a row."""

from collections.abc import Sequence

from gapnet.evaluation.score import Metric
from gapnet.report.tables import NAMES

MOST = 8  # rows
HEADLINE = {
    "top1_error": "top-1 classification",
    "top5_error": "top-5 classification",
    "top1_localization_error": "top-1 localization",
    "top5_localization_error": "top-5 localization",
    "gt_known_error": "ground-truth-known",
    "mean_average_precision": "mean average precision",
    "px_ap": "PxAP, a precision",
    "max_box_acc_v2": "MaxBoxAccV2, an accuracy",
}
WHOLE, CENTRED = "whole_image_gt_known_error", "centred_box_gt_known_error"


def headline(metrics: Sequence[Metric]) -> list[Metric]:
    """Return the metrics that are shown, at most eight, in the order of HEADLINE.

    The errors of the baselines (whole image, best centred box) are a line below the table instead.
    """
    named = [metric for name in HEADLINE for metric in metrics if metric.metric == name]
    return (named or list(metrics))[:MOST]


def headline_name(name: str, chosen_on: str | None, threshold: float | None = None) -> str:
    """Return a metric's name in words, with the threshold and how it was chosen.

    >>> headline_name("gt_known_error", "val", 0.2)
    'ground-truth-known, frozen threshold 20% (val)'
    >>> headline_name("gt_known_error", "test (oracle)", 0.13)
    'ground-truth-known, oracle threshold 13%'
    """
    words = HEADLINE.get(name) or NAMES[name].strip()
    if chosen_on is None:
        return words
    cut = "" if threshold is None else f" {100 * threshold:.3g}%"
    if chosen_on == "fixed":
        return f"{words}, fixed threshold{cut}"
    if "(oracle" in chosen_on:
        return f"{words}, oracle threshold{cut}"
    return f"{words}, frozen threshold{cut} ({chosen_on})"


def column_name(column: str) -> str:
    """Return the name of a column of verdicts in words.

    >>> column_name("ilsvrc/gt_known_error/val")
    'ground-truth-known, frozen threshold (val)'
    """
    return headline_name(*split_column(column))


def is_headline(column: str) -> bool:
    """Return whether the metric of a column of verdicts is a headline metric."""
    return split_column(column)[0] in HEADLINE


def split_column(column: str) -> tuple[str, str | None]:
    """Return the metric of a column of verdicts, and on which split its threshold was chosen."""
    name = column.partition("/")[2]
    if name in NAMES:
        return name, None
    metric, _, chosen_on = name.rpartition("/")
    return metric, chosen_on


def anchor_line(metrics: Sequence[Metric]) -> str | None:
    """Return the errors of the two baselines, which need no network; None without true boxes."""
    values = {metric.metric: f"{100 * metric.value:.2f}%" for metric in metrics}
    if not {WHOLE, CENTRED} <= values.keys():
        return None
    return (
        f"Ground-truth-known error of the whole image as the box: {values[WHOLE]}; "
        f"of the best centred box: {values[CENTRED]}"
    )
