"""Plots of a search as SVG text: the value of each trial, and what it depends on."""

import io
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import matplotlib
import sklearn  # noqa: F401  # Optuna needs it to compute the importance of parameters
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Plot
from optuna import Study
from optuna.importance import get_param_importances
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

SIZE = (5.2, 3.0)  # inches
DOTS_PER_INCH = 150  # of the points: as SVG, those of thousands of trials would take megabytes
MOST = 6  # keys with a plot of their own, the most important ones
ALL_EQUAL = "<p>Which parameter matters is unknown: all trials have the same value.</p>"


def search_plots(study: Study, metric: str) -> str:
    """Return the plots that can be drawn: the importance of parameters needs different values."""
    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    values = {trial.value for trial in trials}
    if not values:
        return ""
    with matplotlib.rc_context({"svg.hashsalt": "gapnet", "text.parse_math": False}):
        history = _history(trials, metric, study.direction)
        if len(values) == 1:
            return f"{history}\n{ALL_EQUAL}"
        importances = get_param_importances(study)
        keys = [_by_key(trials, key, metric) for key in list(importances)[:MOST]]
        return "\n".join([history, _importance(importances), *keys])


def _history(trials: Sequence[FrozenTrial], metric: str, direction: StudyDirection) -> str:
    """Plot the value of each trial, and the best by then."""
    plot, axes = _axes("trial", metric)
    numbers, values = [t.number for t in trials], [t.value or 0.0 for t in trials]
    best = accumulate(values, min if direction == StudyDirection.MINIMIZE else max)
    _add_points(axes, numbers, values)
    axes.step(numbers, list(best), where="post", label="best so far")
    axes.legend(fontsize="small", frameon=False)
    return _svg(plot)


def _importance(importances: dict[str, float]) -> str:
    """Plot the share of the variance of the values that each key explains."""
    plot, axes = _axes("importance", "")
    axes.barh(list(importances)[::-1], list(importances.values())[::-1])
    return _svg(plot)


def _by_key(trials: Sequence[FrozenTrial], key: str, metric: str) -> str:
    """Plot the value of each trial over what it chose for a key."""
    plot, axes = _axes(key, metric)
    having = [trial for trial in trials if key in trial.params]
    _add_points(axes, [t.params[key] for t in having], [t.value or 0.0 for t in having])
    if getattr(having[0].distributions[key], "log", False):
        axes.set_xscale("log")
    return _svg(plot)


def _add_points(axes: Axes, x: Sequence[Any], y: Sequence[float]) -> None:
    axes.scatter(x, y, s=14, alpha=0.7, rasterized=True)


def _axes(x: str, y: str) -> tuple[Plot, Axes]:
    plot = Plot(figsize=SIZE, layout="constrained")
    axes = plot.add_subplot()
    axes.set(xlabel=x, ylabel=y)
    axes.grid(alpha=0.25)
    return plot, axes


def _svg(plot: Plot) -> str:
    text = io.StringIO()
    plot.savefig(text, format="svg", metadata={"Date": None}, dpi=DOTS_PER_INCH)
    svg = text.getvalue()
    return svg[svg.index("<svg") :]
