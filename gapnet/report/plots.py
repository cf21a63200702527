"""Curves as SVG text, to stand inside a page."""

import csv
import io
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure as Plot

from gapnet.evaluation.overlaps import Overlaps
from gapnet.evaluation.protocols import Protocol
from gapnet.evaluation.score import Figure
from gapnet.text.plain_text import plain

Curve = tuple[Sequence[float], Sequence[float]]
SIZE = (5.2, 3.2)  # inches
MARK_STYLES = ("--", "-.", ":")


def read_log(path: Path) -> dict[str, Curve]:
    """Read Lightning's CSV log: each quantity with the steps at which it was logged."""
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
    """Plot what a training logged, by caption; nothing where nothing was trained."""
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
    swept: Mapping[str, Overlaps | None], figures: Sequence[Figure], protocol: Protocol
) -> dict[str, str]:
    """Plot the ground-truth-known error over the cut for each split, by caption."""
    curves = {
        split: (overlaps.cuts, (1 - protocol.right_known(overlaps.main).double().mean(0)).tolist())
        for split, overlaps in swept.items()
        if overlaps is not None and overlaps.cuts
    }
    if not curves:
        return {}
    marks = {
        str(figure.chosen_on): figure.threshold
        for figure in figures
        if figure.metric == "gt_known_error" and figure.threshold is not None
    }
    axis = "threshold, share of the map's maximum"
    caption = "Ground-truth-known localization error by threshold"
    return {caption: curves_svg(curves, x=axis, y="error", marks=marks)}


def curves_svg(
    curves: Mapping[str, Curve], *, x: str, y: str, marks: Mapping[str, float] | None = None
) -> str:
    """Plot curves over a common axis, with vertical marks; names are shown as they are."""
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
