"""Curves as SVG text, for use inside a page."""

import csv
import io
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure as Plot

from gapnet.evaluation.overlaps import Overlaps
from gapnet.evaluation.protocols import Protocol
from gapnet.evaluation.score import Metric
from gapnet.text.plain_text import plain

Curve = tuple[Sequence[float], Sequence[float]]
SIZE = (5.2, 3.2)  # inches
MARK_STYLES = ("--", "-.", ":")


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
    """Return plots of what a training logged, by caption; none if there is no log."""
    if not log.exists():
        return {}
    curves = read_log(log)
    losses = {name: curve for name, curve in curves.items() if name.startswith("train/")}
    errors = {name: curve for name, curve in curves.items() if name.startswith("val/")}
    return {
        "Training": curves_svg(losses, x="step", y="loss"),
        "Validation": curves_svg(errors, x="step", y="error"),
    }


def threshold_plot(
    swept: Mapping[str, Overlaps | None], metrics: Sequence[Metric], protocol: Protocol
) -> dict[str, str]:
    """Return a plot of the ground-truth-known error over the threshold by split, by caption."""
    curves = {
        split: (overlaps.cuts, (1 - protocol.right_known(overlaps.main).double().mean(0)).tolist())
        for split, overlaps in swept.items()
        if overlaps is not None and overlaps.cuts
    }
    if not curves:
        return {}
    marks = {
        str(metric.chosen_on): metric.threshold
        for metric in metrics
        if metric.metric == "gt_known_error" and metric.threshold is not None
    }
    axis = "threshold, share of the map's maximum"
    caption = "Ground-truth-known localization error by threshold"
    return {caption: curves_svg(curves, x=axis, y="error", marks=marks)}


def curves_svg(
    curves: Mapping[str, Curve], *, x: str, y: str, marks: Mapping[str, float] | None = None
) -> str:
    """Return a plot of curves over a common axis, with vertical marks; names are not parsed."""
    with matplotlib.rc_context({"svg.hashsalt": "gapnet", "text.parse_math": False}):
        return _svg(_plot(curves, x=x, y=y, marks=marks or {}))


def _plot(curves: Mapping[str, Curve], *, x: str, y: str, marks: Mapping[str, float]) -> Plot:
    plot = Plot(figsize=SIZE, layout="constrained")
    axes = plot.add_subplot()
    for name, (steps, values) in curves.items():
        axes.plot(steps, values, label=plain(name), linewidth=1.4)
    for (name, position), style in zip(marks.items(), cycle(MARK_STYLES), strict=False):
        axes.axvline(position, label=plain(name), color="grey", linestyle=style, linewidth=1)
    axes.set(xlabel=x, ylabel=y)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.25)
    axes.legend(fontsize="small", frameon=False)
    return plot


def _svg(plot: Plot) -> str:
    text = io.StringIO()
    plot.savefig(text, format="svg", metadata={"Date": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :]
