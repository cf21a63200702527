"""Charts of a run: what its training logged, and errors by threshold."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gapnet.evaluation.overlaps import Overlaps
from gapnet.evaluation.protocols import Protocol
from gapnet.evaluation.score import Metric
from gapnet.report.line_chart import Curve, line_chart


def read_log(path: Path) -> dict[str, Curve]:
    """Read metrics.csv: steps and values by logged quantity."""
    curves: dict[str, tuple[list[float], list[float]]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            for name, value in row.items():
                if value and name not in ("step", "epoch"):
                    steps, values = curves.setdefault(name, ([], []))
                    steps.append(float(row["step"]))
                    values.append(float(value))
    return dict(curves)


def training_plots(log: Path) -> dict[str, str]:
    """Return charts of what a training logged, by caption; curves of one point are left out."""
    if not log.exists():
        return {}
    curves = {name: curve for name, curve in read_log(log).items() if len(curve[0]) > 1}
    plots = {}
    for caption, names in _grouped(curves).items():
        shown = {name: curves[name] for name in names}
        title = f"{caption} by step: {', '.join(names)}"
        plots[caption] = line_chart(shown, x="step", y=caption.lower(), title=title)
    return plots


def _grouped(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the names of losses and of validation errors, by the caption of their chart."""
    groups: dict[str, list[str]] = {}
    for name in names:
        if name.endswith("loss"):
            groups.setdefault("Loss", []).append(name)
        elif name.startswith("val/"):
            groups.setdefault("Validation error", []).append(name)
    return groups


def threshold_plot(
    swept: Mapping[str, Overlaps | None], metrics: Sequence[Metric], protocol: Protocol
) -> str | None:
    """Return a chart of the ground-truth-known error over the threshold by split, if there is one.

    It marks the fixed, the frozen and the oracle threshold.
    """
    curves = {
        split: (overlaps.cuts, (1 - protocol.right_known(overlaps.main).double().mean(0)).tolist())
        for split, overlaps in swept.items()
        if overlaps is not None and overlaps.cuts
    }
    if not curves:
        return None
    marks = {
        _mark(metric.chosen_on, metric.threshold): metric.threshold
        for metric in metrics
        if metric.metric == "gt_known_error" and metric.threshold is not None
    }
    title = f"Ground-truth-known error by threshold; {', '.join(marks)}"
    axis = "threshold, share of the map's maximum"
    return line_chart(curves, x=axis, y="ground-truth-known error", title=title, marks=marks)


def _mark(chosen_on: str | None, threshold: float) -> str:
    """Return the name of a threshold."""
    if chosen_on == "fixed":
        return f"fixed {100 * threshold:.3g}%"
    kind = "oracle" if "(oracle" in str(chosen_on) else "frozen"
    return f"{kind} {100 * threshold:.3g}%"
