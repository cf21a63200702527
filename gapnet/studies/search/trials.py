"""Trial of a search: a training in its own process, whose metrics are read while it runs."""

import csv
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from optuna import Trial, TrialPruned
from optuna.trial import TrialState

from gapnet.config.overrides import quoted
from gapnet.errors import GapnetError
from gapnet.runs.layout import BEST, CURVES
from gapnet.studies.search.space import Dimension
from gapnet.system.child_process import Process, gapnet_command, running

VALIDATION = "val/"  # prefix of the metrics of the validation split
MONITOR = "val/top1_error"  # checkpoint=best is the epoch with the lowest
OVERRIDES, ERROR, SURPLUS = (
    "overrides",
    "error",
    "surplus",
)  # user attributes of a trial in the storage
POLL = 0.5  # seconds between two readings of the metrics
Epoch = dict[str, float]  # metrics that were logged after a validation, and "epoch"


class TrialFailedError(GapnetError):
    """A trial has no value; the other trials continue."""


@dataclass(frozen=True)
class Objective:
    """Objective of a search: a metric of the validation split after a training.

    Args:
        folder: of the search.
        shared: overrides of all trials.
        space: from which a trial chooses.
        metric: that is returned.
        checkpoint: best or last, the epoch whose metric is returned.
        n_trials: number of trials of the search.
        flags: flags of Hydra for all trials, such as --config-dir.
    """

    folder: Path
    shared: Sequence[str]
    space: dict[str, Dimension]
    metric: str
    checkpoint: str
    n_trials: int
    flags: Sequence[str] = ()

    def __call__(self, trial: Trial) -> float:
        """Run a trial to its end, unless the pruner or the user stops it."""
        _end_if_surplus(trial, self.n_trials)
        chosen = [f"{key}={dimension.suggest(trial, key)}" for key, dimension in self.space.items()]
        trial.set_user_attr(OVERRIDES, chosen)
        place = self.folder / "trials" / str(trial.number)
        place.parent.mkdir(parents=True, exist_ok=True)
        output = place.with_suffix(".txt")
        try:
            overrides = [self._group(), *self.shared, *chosen, *self._output(place)]
            command = gapnet_command("train", [*self.flags, *overrides])
            with running(command, output) as process:
                epochs = self._watch(process, place, trial)
            check_ended(process.returncode, output)
            return metric_of(epochs, self.metric, self.checkpoint)
        except TrialFailedError as error:
            trial.set_user_attr(ERROR, str(error))
            raise
        except KeyboardInterrupt:
            trial.study.enqueue_trial(trial.params)  # for the next worker
            raise

    def _group(self) -> str:
        """Return the override with which loggers group the trials; the user's own comes later."""
        return f"group={quoted(self.folder.name)}"

    def _output(self, place: Path) -> list[str]:
        runs = f"paths.runs={quoted(str(self.folder))}"  # so that RUNS/latest does not change
        return ["evaluate=false", runs, f"folder={quoted(str(place))}"]

    def _watch(self, process: Process, place: Path, trial: Trial) -> list[Epoch]:
        """Report validated metrics to the pruner until the process ends; return all epochs."""
        seen = 0
        while True:
            ended = process.poll() is not None  # before reading: nothing is written afterwards
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


def _end_if_surplus(trial: Trial, n_trials: int) -> None:
    """End a trial above `n_trials`: workers that count at the same time may both start one."""
    counted = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)
    others = trial.study.get_trials(deepcopy=False, states=counted)
    if sum(other.number < trial.number for other in others) >= n_trials:
        trial.set_user_attr(SURPLUS, "yes")
        raise TrialFailedError("one trial too many")


def read_epochs(path: Path) -> list[Epoch]:
    """Read the validations from metrics.csv, which is still being written."""
    if not path.is_file():
        return []
    text = path.read_text()
    whole = text[: text.rfind("\n") + 1]
    rows = [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(whole.split("\n"))]
    return [row for row in rows if "epoch" in row and any(_is_validated(key) for key in row)]


def _is_validated(name: str) -> bool:
    return name.startswith(VALIDATION)


def metric_of(epochs: Sequence[Epoch], metric: str, checkpoint: str) -> float:
    """Return a metric of the best or the last epoch."""
    if not epochs:
        raise TrialFailedError("nothing was validated; trainer.max_epochs must be 1 or more")
    if metric not in epochs[-1]:
        known = ", ".join(sorted(filter(_is_validated, epochs[-1])))
        raise TrialFailedError(f"metric={metric}: is not logged; the metrics are: {known}")
    if checkpoint == BEST:
        return min(epochs, key=lambda epoch: epoch[MONITOR])[metric]
    return epochs[-1][metric]


def check_ended(status: int, output: Path) -> None:
    """Raise an error if a training failed; the last line of its output is the reason."""
    if status < 0:
        killed = signal.Signals(-status).name
        raise TrialFailedError(f"killed by {killed}; its output is in {output}")
    if status:
        lines = output.read_text(errors="replace").split("\n")
        last = next((line for line in reversed(lines) if line.strip()), f"exit status {status}")
        raise TrialFailedError(last.removeprefix("gapnet train: "))
