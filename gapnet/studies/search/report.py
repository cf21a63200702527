"""What a search ends with: a table, the best command, a page with Optuna's plots."""

import os
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from gapnet.runs.folder import short
from gapnet.runs.layout import REPORT
from gapnet.studies.search.trials import ERROR, OVERRIDES, SURPLUS, Objective
from gapnet.system.files import write_file
from gapnet.system.output import say, show
from gapnet.text.redact import redact_arguments

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

HEADER = ("trial", "state", "value", "values chosen")
LOST = "lost, run again"  # its worker died or was interrupted
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


def conclude(study: "Study", objective: Objective, command: str) -> None:
    """Print the trials and the best command, and write the page."""
    import shlex

    from rich.table import Table

    rows = trial_rows(study)
    table = Table(title=f"{study.study_name}: {objective.metric}", title_justify="left")
    for heading in HEADER:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row)
    show(table)
    failed = sum(ERROR in trial.user_attrs for trial in _shown(study))
    if failed:
        say(f"{failed} of {len(rows)} trials failed; their output is in {objective.folder}/trials")
    found = _finished(study)
    best = shlex.join(redact_arguments(study.best_trial.user_attrs[OVERRIDES])) if found else ""
    line = f"{command} {best}" if found else "no trial ran to its end: all were pruned"
    if found:
        say("the best, to train and evaluate:")
    say(line)
    path = objective.folder / REPORT
    _write(path, _page(study, objective, rows, line))
    say(f"report: {short(path)}")


def trial_rows(study: "Study") -> list[tuple[str, str, str, str]]:
    """Write the trials as text, the best first, and those without a value last."""
    return [
        (
            str(trial.number),
            _state(trial),
            "" if trial.value is None else f"{trial.value:.4f}",
            trial.user_attrs.get(ERROR) or " ".join(trial.user_attrs.get(OVERRIDES, ())),
        )
        for trial in sorted(_shown(study), key=lambda trial: _rank(study, trial))
    ]


def _shown(study: "Study") -> list["FrozenTrial"]:
    trials = study.get_trials(deepcopy=False)
    return [trial for trial in trials if SURPLUS not in trial.user_attrs]


def _finished(study: "Study") -> list["FrozenTrial"]:
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def _state(trial: "FrozenTrial") -> str:
    name = trial.state.name.lower()
    if name == "fail":
        return "failed" if ERROR in trial.user_attrs else LOST
    return name


def _rank(study: "Study", trial: "FrozenTrial") -> tuple[int, float, int]:
    order = ("complete", "pruned", "failed", LOST, "running", "waiting")
    worth = 0.0 if trial.value is None else trial.value
    sign = 1 if study.direction.name == "MINIMIZE" else -1
    return order.index(_state(trial)), sign * worth, trial.number


def _page(study: "Study", objective: Objective, rows: Sequence[Sequence[str]], best: str) -> str:
    space = "; ".join(f"{key}: {each}" for key, each in objective.space.items())
    told = " ".join(objective.told) or "the default training"
    caption = (
        f"{study.direction.name.capitalize()} {objective.metric} over {space}. All trials: {told}."
    )
    cells = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows)
    head = "".join(f"<th>{heading}</th>" for heading in HEADER)
    return PAGE.format(
        title=escape(study.study_name),
        caption=escape(caption),
        best=escape(best),
        plots=_plots(study, objective.metric),
        rows="\n".join(f"<tr>{row}</tr>" for row in (head, *cells)),
    )


def _plots(study: "Study", metric: str) -> str:
    """Draw with Optuna what it can: the importance needs values that differ."""
    from optuna.visualization import plot_optimization_history, plot_param_importances

    values = {trial.value for trial in _finished(study)}
    if not values:
        return ""
    figures = [plot_optimization_history(study, target_name=metric)]
    note = "<p>Which parameter matters cannot be told: all values found are equal.</p>"
    if len(values) > 1:
        figures.append(plot_param_importances(study, target_name=metric))
        note = ""
    drawn = (
        figure.to_html(full_html=False, include_plotlyjs=not place)
        for place, figure in enumerate(figures)
    )
    return "\n".join((*drawn, note))


def _write(path: Path, page: str) -> None:
    """Write the page under a name of this worker's own first: another may end at the same time."""
    own = path.with_name(f".{path.name}.{os.getpid()}")
    write_file(own, page)
    own.replace(path)
