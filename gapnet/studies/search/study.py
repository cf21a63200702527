"""The Optuna study that the workers of a search share."""

import json
import logging
import time
import warnings
from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

import optuna
from numpy.random import SeedSequence
from optuna import Study, Trial
from optuna.exceptions import ExperimentalWarning, OptunaError
from optuna.pruners import BasePruner
from optuna.samplers import TPESampler
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback, fail_stale_trials
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from gapnet.errors import GapnetError
from gapnet.studies.search.trials import ERROR, SURPLUS, Objective, TrialFailedError
from gapnet.system.progress import track

HEARTBEAT, GRACE = 10, 30  # seconds between signs of life; a trial without one for so long is lost
BUSY = 60  # seconds to wait while another worker writes to the file
WAIT = 2  # seconds between two readings of the other trials
TRIES = 5  # to open a storage that another worker is creating
HOPELESS = 3  # a worker ends if its first trials fail, so many
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
SEARCHED = "searched"  # user attribute of the study: the settings of the search
log = logging.getLogger(__name__)


class Next(Enum):
    """Next step of a worker."""

    START = "start a trial"
    WAIT = "wait for the others"
    END = "end"


def next_step(states: Sequence[TrialState], n_trials: int) -> Next:
    """Return the next step of a worker from the states of the trials."""
    finished = sum(state in FINISHED for state in states)
    if finished >= n_trials:
        return Next.END
    running = sum(state == TrialState.RUNNING for state in states)
    return Next.START if finished + running < n_trials else Next.WAIT


def open_study(
    url: str, name: str, *, direction: str, pruner: BasePruner, settings: dict[str, Any]
) -> Study:
    """Open or create a study; refuse one of a search with other settings."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        storage=_open_storage(url),
        study_name=name,
        direction=StudyDirection[direction.replace("ise", "ize").upper()],
        pruner=pruner,
        load_if_exists=True,
    )
    now = json.loads(json.dumps(settings))
    begun = study.user_attrs.get(SEARCHED, now)
    for key, value in now.items():
        if begun.get(key) != value:
            raise GapnetError(
                f"name={name}: this search was started with {key}={begun.get(key)}, not {value}; "
                "choose another name"
            )
    study.set_user_attr(SEARCHED, now)
    return study


def _open_storage(url: str) -> RDBStorage:
    """Open a storage in which a trial whose worker died is repeated with the same values."""
    file = url.startswith("sqlite")
    warnings.simplefilter("ignore", ExperimentalWarning)
    for left in reversed(range(TRIES)):
        try:
            return RDBStorage(
                url,
                engine_kwargs={"connect_args": {"timeout": BUSY}} if file else None,
                heartbeat_interval=HEARTBEAT,
                grace_period=GRACE,
                heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(),
            )
        except (SQLAlchemyError, OptunaError, ImportError) as error:
            if not left or isinstance(error, (ImportError, ArgumentError)):
                reason = str(error).partition("\n")[0]
                raise GapnetError(f"storage: cannot be opened ({reason})") from error
            time.sleep(1)  # another worker may be creating its tables
    raise AssertionError


def run_trials(study: Study, objective: Objective, *, seed: int) -> None:
    """Run trials until all workers together have finished `n_trials`."""
    own: list[FrozenTrial] = []

    def run(trial: Trial) -> float:
        # With the trial's number: otherwise every worker would start with the same values
        (own_seed,) = SeedSequence([seed, trial.number]).generate_state(1)
        study.sampler = TPESampler(seed=int(own_seed), constant_liar=True)
        return objective(trial)

    def log_trial(_: Study, trial: FrozenTrial) -> None:
        if SURPLUS not in trial.user_attrs:
            own.append(trial)
            log.info("%s", describe_trial(study, trial, objective.metric))

    def trials() -> Iterator[None]:
        """Yield after every trial of this worker."""
        while (step := _next(study, objective.n_trials)) is not Next.END:
            if step is Next.START:
                study.optimize(run, n_trials=1, catch=(TrialFailedError,), callbacks=[log_trial])
                _give_up_if_hopeless(own, objective.n_trials)
                yield
            else:
                fail_stale_trials(study)
                time.sleep(WAIT)

    finished = study.get_trials(deepcopy=False, states=FINISHED)
    missing = max(0, objective.n_trials - len(finished))
    for _ in track(trials(), "searching", total=missing):
        pass


def _next(study: Study, n_trials: int) -> Next:
    return next_step([trial.state for trial in study.get_trials(deepcopy=False)], n_trials)


def _give_up_if_hopeless(own: Sequence[FrozenTrial], n_trials: int) -> None:
    """Raise an error if the first trials all failed, or if `n_trials` failed."""
    errors = [trial.user_attrs[ERROR] for trial in own if ERROR in trial.user_attrs]
    first = len(errors) == len(own) >= HOPELESS
    if first or len(errors) >= max(HOPELESS, n_trials):
        which = "the first" if first else ""
        raise GapnetError(f"{which} {len(errors)} trials failed, the last: {errors[-1]}".strip())


def describe_trial(study: Study, trial: FrozenTrial, metric: str) -> str:
    """Return a line with the result of a trial and the best so far."""
    if ERROR in trial.user_attrs:
        return f"trial {trial.number}: failed: {trial.user_attrs[ERROR]}"
    value = "" if trial.value is None else f", {metric} {trial.value:.4f}"
    line = f"trial {trial.number}: {trial.state.name.lower()}{value}"
    try:
        best = study.best_trial
    except ValueError:
        return line  # all were pruned
    return f"{line} (best so far: {best.value:.4f}, trial {best.number})"


def check_fresh(study: Study, folder: Path) -> None:
    """Refuse to mix the trials of a deleted study with new ones."""
    if (folder / "trials").is_dir() and not study.get_trials(deepcopy=False):
        raise GapnetError(
            f"{folder / 'trials'}: contains trials that are not in the storage; move it away, or "
            "choose another name=..."
        )
