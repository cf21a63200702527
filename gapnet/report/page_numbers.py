"""Numbers of the page's first screen: metrics as bars, and what the errors are made of."""

from collections.abc import Sequence
from typing import NamedTuple

from gapnet.evaluation.breakdown import KINDS
from gapnet.evaluation.score import Metric
from gapnet.report.headline import CENTRED, WHOLE, headline, headline_name

VERDICTS = {
    "right": "right",
    "wrong_class": "wrong class",
    "part": "a part of the object",
    "more": "more than the object",
    "several": "several objects in one box",
    "elsewhere": "elsewhere",
}
ANCHORS = {WHOLE: "the whole image as the box", CENTRED: "the best centred box"}


class Bar(NamedTuple):
    """A metric as a bar from 0 to 100%: value and interval in percent, and baselines by name."""

    name: str
    value: float
    low: float
    high: float
    anchors: dict[str, float]
    baseline: bool = False

    @property
    def interval(self) -> str:
        """Return the interval as text."""
        return f"{self.low:.2f} to {self.high:.2f}"


class Share(NamedTuple):
    """A share of the images, in percent, with its verdict."""

    kind: str
    name: str
    percent: float


def bars(metrics: Sequence[Metric]) -> list[Bar]:
    """Return the headline metrics, and then the baselines that need no network."""
    anchors = {
        name: 100 * metric.value
        for key, name in ANCHORS.items()
        for metric in metrics
        if metric.metric == key
    }
    rows = [
        _bar(metric, anchors if metric.metric == "gt_known_error" else {})
        for metric in headline(metrics)
    ]
    baselines = [_bar(metric, {}) for metric in metrics if metric.metric in ANCHORS]
    return [*rows, *baselines]


def _bar(metric: Metric, anchors: dict[str, float]) -> Bar:
    baseline = metric.metric in ANCHORS
    name = f"baseline: {ANCHORS[metric.metric]}" if baseline else _name(metric)
    return Bar(
        name, 100 * metric.value, 100 * metric.low, 100 * metric.high, anchors, baseline=baseline
    )


def _name(metric: Metric) -> str:
    return headline_name(metric.metric, metric.chosen_on, metric.threshold)


def shares(metrics: Sequence[Metric]) -> list[Share]:
    """Return the shares of right first guesses, and of wrong ones by the kind of error.

    Without boxes, a guess is right if its class is.
    """
    values = {metric.metric: metric.value for metric in reversed(metrics)}
    error = values.get("top1_localization_error")
    if error is None and "top1_error" in values:
        parts = {"right": 1 - values["top1_error"], "wrong_class": values["top1_error"]}
    elif error is not None:
        kinds = {kind: values[f"top1_localization_error/{kind}"] for kind in KINDS}
        parts = {"right": 1 - error, **kinds}
    else:
        parts = {}
    order = [kind for kind in VERDICTS if kind in parts]
    return [Share(kind, VERDICTS[kind], 100 * parts[kind]) for kind in order]
