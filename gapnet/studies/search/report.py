"""Report of a search: a table of the trials, the best command and an HTML page."""

import logging
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from optuna import Study
from optuna.trial import FrozenTrial, TrialState
from rich.table import Table

from gapnet.errors import GapnetError
from gapnet.runs.folder import short
from gapnet.runs.layout import REPORT
from gapnet.studies.search.page import search_page
from gapnet.studies.search.trials import ERROR, OVERRIDES, SURPLUS, Objective
from gapnet.system.files import write_file
from gapnet.system.folders import lock_file
from gapnet.system.value_table import value_table
from gapnet.text.redact import redact_arguments

HEADER = ("trial", "state", "value", "values chosen")
SHOWN = 8  # trials on the console
LOST = "lost, run again"  # the worker of this trial died or was interrupted
ORDER = ("complete", "pruned", "failed", LOST, "running", "waiting")
NONE_COMPLETE = "no trial ran to its end: all were pruned"
log = logging.getLogger(__name__)


class SearchReport(NamedTuple):
    """What is printed at the end of a search: a table, and lines below it."""

    table: Table
    lines: list[str]


def report_search(study: Study, objective: Objective, command: str) -> SearchReport:
    """Write the page of a search; return what is printed. `command` is the training's."""
    rows = trial_rows(study)
    best = _best_command(study, command)
    path = objective.folder / REPORT
    _write(path, search_page(study, objective, header=HEADER, rows=rows, best=best))
    failed = sum(ERROR in trial.user_attrs for trial in _shown(study))
    lines = [f"{failed} of {len(rows)} trials failed; their output is in {objective.folder}/trials"]
    closing = ["the best, to train and evaluate:"] if best != NONE_COMPLETE else []
    closing += [best, f"report: {short(path)}"]
    title = f"{study.study_name}: {objective.metric}"
    return SearchReport(trial_table(rows, title), [*(lines if failed else []), *closing])


def _best_command(study: Study, command: str) -> str:
    """Return the command that trains with the values of the best trial."""
    if not study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        return NONE_COMPLETE
    return f"{command} {shlex.join(redact_arguments(study.best_trial.user_attrs[OVERRIDES]))}"


def trial_rows(study: Study) -> list[tuple[str, str, str, str]]:
    """Return the trials as rows of text, the best first, those without a value last."""
    return [
        (
            str(trial.number),
            _state(trial),
            "" if trial.value is None else f"{trial.value:.4f}",
            trial.user_attrs.get(ERROR) or " ".join(trial.user_attrs.get(OVERRIDES, ())),
        )
        for trial in sorted(_shown(study), key=lambda trial: _rank(study, trial))
    ]


def _shown(study: Study) -> list[FrozenTrial]:
    trials = study.get_trials(deepcopy=False)
    return [trial for trial in trials if SURPLUS not in trial.user_attrs]


def _state(trial: FrozenTrial) -> str:
    name = trial.state.name.lower()
    if name == "fail":
        return "failed" if ERROR in trial.user_attrs else LOST
    return name


def _rank(study: Study, trial: FrozenTrial) -> tuple[int, float, int]:
    value = 0.0 if trial.value is None else trial.value
    sign = 1 if study.direction.name == "MINIMIZE" else -1
    return ORDER.index(_state(trial)), sign * value, trial.number


def trial_table(rows: Sequence[tuple[str, str, str, str]], title: str) -> Table:
    """Return the table of the best trials; the page has all."""
    number, state, value, chosen = HEADER
    table = value_table(title, (chosen, number, state, value))
    for number, state, value, chosen in rows[:SHOWN]:
        table.add_row(chosen, number, state, value)
    if len(rows) > SHOWN:
        table.caption = f"The best {SHOWN} of {len(rows)} trials; the report has all."
    return table


def _write(path: Path, page: str) -> None:
    """Write the page, unless another worker that ends at the same time is writing it."""
    busy = f"{path}: another worker writes it"
    try:
        with lock_file(path.with_name(f".{path.name}.lock"), busy):
            write_file(path, page)
    except GapnetError as error:
        log.info("%s", error)
