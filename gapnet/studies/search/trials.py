"""A trial of a search: a training in a process of its own, watched while it runs."""

import csv
import logging
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gapnet.config.overrides import quoted
from gapnet.errors import GapnetError
from gapnet.runs.layout import BEST, CURVES
from gapnet.studies.search.space import Dimension
from gapnet.system.child_process import gapnet_command, running

if TYPE_CHECKING:
    from optuna.trial import Trial

VALIDATION = "val/"  # how the figures of the validation split begin
MONITOR = "val/top1_error"  # the lowest is what checkpoint=best keeps
OVERRIDES, ERROR, SURPLUS = "overrides", "error", "surplus"  # what the storage keeps of a trial
POLL = 0.5  # seconds between two looks at a training
log = logging.getLogger(__name__)
Epoch = dict[str, float]  # what was logged after a validation: figure -> value, and "epoch"


class TrialFailedError(GapnetError):
    """Say why a trial has no value; the others go on."""


@dataclass(frozen=True)
class Objective:
    """Train with what a trial chooses, and give the figure of the validation split.

    Args:
        folder: of the search.
        told: overrides that all trials share.
        space: what a trial chooses.
        metric: the figure.
        checkpoint: best or last, of which the figure counts.
        n_trials: how many of the trials are wanted.
    """

    folder: Path
    told: Sequence[str]
    space: dict[str, Dimension]
    metric: str
    checkpoint: str
    n_trials: int

    def __call__(self, trial: "Trial") -> float:
        """Run a trial to its end, unless the pruner or the user ends it."""
        _leave_if_surplus(trial, self.n_trials)
        chosen = [f"{key}={each.suggest(trial, key)}" for key, each in self.space.items()]
        trial.set_user_attr(OVERRIDES, chosen)
        place = self.folder / "trials" / str(trial.number)
        place.parent.mkdir(parents=True, exist_ok=True)
        output = place.with_suffix(".txt")
        try:
            command = gapnet_command("train", [*self.told, *chosen, *self._own(place)])
            with running(command, output) as process:
                epochs = self._watch(process, place, trial)
            check_ended(process.returncode, output)
            return figure_of(epochs, self.metric, self.checkpoint)
        except TrialFailedError as error:
            trial.set_user_attr(ERROR, str(error))
            raise
        except KeyboardInterrupt:
            trial.study.enqueue_trial(trial.params)  # for the next worker
            raise

    def _own(self, place: Path) -> list[str]:
        runs = f"paths.runs={quoted(str(self.folder))}"  # so that RUNS/latest is left alone
        return ["evaluate=false", runs, f"folder={quoted(str(place))}"]

    def _watch(
        self, process: "subprocess.Popen[bytes]", place: Path, trial: "Trial"
    ) -> list[Epoch]:
        """Hand what is validated to the pruner, until the process ends."""
        from optuna import TrialPruned

        seen = 0
        while True:
            ended = process.poll() is not None  # before the look: nothing comes after it
            epochs = read_epochs(place / CURVES)
            for epoch in epochs[seen:]:
                if self.metric in epoch:
                    trial.report(epoch[self.metric], step=int(epoch["epoch"]))
                    if not ended and trial.should_prune():
                        raise TrialPruned
            if ended:
                return epochs
            seen = len(epochs)
            time.sleep(POLL)


def _leave_if_surplus(trial: "Trial", n_trials: int) -> None:
    """End a trial that is one too many: workers which count at the same time both start one."""
    from optuna.trial import TrialState

    counted = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)
    others = trial.study.get_trials(deepcopy=False, states=counted)
    if sum(each.number < trial.number for each in others) >= n_trials:
        trial.set_user_attr(SURPLUS, "yes")
        raise TrialFailedError("one trial too many")


def read_epochs(path: Path) -> list[Epoch]:
    """Read what was logged after each validation from a file that may be in the writing."""
    if not path.is_file():
        return []
    text = path.read_text()
    whole = text[: text.rfind("\n") + 1]
    rows = [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(whole.split("\n"))]
    return [row for row in rows if "epoch" in row and any(_is_validated(key) for key in row)]


def _is_validated(name: str) -> bool:
    return name.startswith(VALIDATION)


def figure_of(epochs: Sequence[Epoch], metric: str, checkpoint: str) -> float:
    """Give a figure of the epoch whose checkpoint counts."""
    if not epochs:
        raise TrialFailedError("nothing was validated; trainer.max_epochs must be 1 or more")
    if metric not in epochs[-1]:
        known = ", ".join(sorted(filter(_is_validated, epochs[-1])))
        raise TrialFailedError(f"metric={metric}: is not logged; there are: {known}")
    if checkpoint == BEST:
        return min(epochs, key=lambda epoch: epoch[MONITOR])[metric]
    return epochs[-1][metric]


def check_ended(status: int, output: Path) -> None:
    """Refuse a training that did not end well; its last line says why."""
    if status < 0:
        killed = signal.Signals(-status).name
        raise TrialFailedError(f"killed by {killed}; its output is in {output}")
    if status:
        lines = output.read_text(errors="replace").split("\n")
        last = next((line for line in reversed(lines) if line.strip()), f"exit status {status}")
        raise TrialFailedError(last.removeprefix("gapnet train: "))
