"""HTML page of a search: the best command, Optuna's plots and a table of the trials."""

from collections.abc import Sequence
from html import escape

import sklearn  # noqa: F401  # Optuna needs it to compute the importance of parameters
from optuna import Study
from optuna.trial import TrialState
from optuna.visualization import plot_optimization_history, plot_param_importances
from plotly.io import to_html

from gapnet.studies.search.trials import Objective

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font-family: sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem }}
td, th {{ text-align: left; padding: 0.1rem 1rem 0.1rem 0 }}
</style></head>
<body>
<h1>{title}</h1>
<p>{caption}</p>
<pre>{best}</pre>
{plots}
<table>{rows}</table>
</body>
</html>
"""
ALL_EQUAL = "<p>Which parameter matters is unknown: all trials have the same value.</p>"


def search_page(
    study: Study,
    objective: Objective,
    *,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    best: str,
) -> str:
    """Return the page; `rows` are those of its table, `best` is the best command."""
    space = "; ".join(f"{key}: {dimension}" for key, dimension in objective.space.items())
    shared = " ".join(objective.shared) or "the default training"
    direction = study.direction.name.capitalize()
    cells = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows)
    head = "".join(f"<th>{heading}</th>" for heading in header)
    return PAGE.format(
        title=escape(study.study_name),
        caption=escape(f"{direction} {objective.metric} over {space}. All trials: {shared}."),
        best=escape(best),
        plots=_plots(study, objective.metric),
        rows="\n".join(f"<tr>{row}</tr>" for row in (head, *cells)),
    )


def _plots(study: Study, metric: str) -> str:
    """Return the plots that can be drawn: the importance of parameters needs different values."""
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    values = {trial.value for trial in complete}
    if not values:
        return ""
    figures = [plot_optimization_history(study, target_name=metric)]
    if len(values) > 1:
        figures.append(plot_param_importances(study, target_name=metric))
    drawn = [
        to_html(figure, full_html=False, include_plotlyjs=number == 0)
        for number, figure in enumerate(figures)
    ]
    return "\n".join(drawn if len(values) > 1 else (*drawn, ALL_EQUAL))
