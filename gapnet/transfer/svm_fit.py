"""Trains linear SVMs with scikit-learn's LIBLINEAR: one per class against the others."""

import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.svm import LinearSVC

from gapnet.metrics.average_precision import mean_average_precision
from gapnet.system.progress import track
from gapnet.transfer.fitting import Fitting, TrainingSet
from gapnet.transfer.scores import accuracy

log = logging.getLogger(__name__)
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Hyperplanes:
    """One hyperplane per class: weight (classes, D), bias (classes,), and their C."""

    weight: Array
    bias: Array
    C: float

    def decisions(self, vectors: Array) -> Array:
        """Return the decision values (N, classes) of vectors (N, D)."""
        values: Array = vectors @ self.weight.T + self.bias
        return values


def fit_svm(training: TrainingSet, fitting: Fitting) -> Hyperplanes:
    """Train one SVM per class; of several values of C, cross-validation chooses one."""
    vectors = training.vectors.astype(np.float64)  # LIBLINEAR takes no other type
    cost = fitting.costs[0]
    if len(fitting.costs) > 1:
        cost = _best_cost(vectors, training, fitting)
    return _fit_classes(vectors, training.targets, cost, fitting, f"SVMs, C={cost:g}")


def _best_cost(vectors: Array, training: TrainingSet, fitting: Fitting) -> float:
    """Return the C with the best mean result over folds; of equally good ones, the lowest."""
    results = {}
    for cost in sorted(fitting.costs):
        scores = []
        for number, (fitted, held_out) in enumerate(_folds(training, fitting), start=1):
            what = f"C={cost:g}, fold {number} of {fitting.folds}"
            planes = _fit_classes(vectors[fitted], training.targets[fitted], cost, fitting, what)
            decisions = planes.decisions(vectors[held_out])
            scores.append(_score(decisions, training, held_out))
        results[cost] = float(np.mean(scores))
        log.info("C=%g: %s %.4f", cost, _measure(training), results[cost])
    return max(results, key=results.__getitem__)


def _folds(
    training: TrainingSet, fitting: Fitting
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield the rows to train on and those to score, for every fold."""
    kind = KFold if training.multi_label else StratifiedKFold
    folds = kind(fitting.folds, shuffle=True, random_state=fitting.seed)
    classes = training.targets.argmax(1)
    yield from folds.split(classes[:, None], classes)


def _score(decisions: Array, training: TrainingSet, rows: NDArray[np.int64]) -> float:
    if training.multi_label:
        return mean_average_precision(decisions, training.targets[rows])
    return float(accuracy(decisions, training.targets[rows].argmax(1)).mean())


def _measure(training: TrainingSet) -> str:
    return "mean average precision" if training.multi_label else "accuracy"


def _fit_classes(
    vectors: Array, targets: NDArray[np.bool_], cost: float, fitting: Fitting, what: str
) -> Hyperplanes:
    weight, bias = np.zeros((targets.shape[1], vectors.shape[1])), np.zeros(targets.shape[1])
    unfinished = 0
    for index in track(range(len(bias)), what, total=len(bias), leave=False):
        weight[index], bias[index], converged = fit_class(vectors, targets[:, index], cost, fitting)
        unfinished += not converged
    if unfinished:
        log.warning(
            "%s: %d of %d SVMs did not converge in %d iterations; raise iterations, or lower C",
            what,
            unfinished,
            len(bias),
            fitting.iterations,
        )
    return Hyperplanes(weight, bias, cost)


def fit_class(
    vectors: Array, positive: NDArray[np.bool_], cost: float, fitting: Fitting
) -> tuple[Array, float, bool]:
    """Return the weight (D,) and bias of one class, and whether the training converged."""
    svm = LinearSVC(
        C=cost, dual="auto", max_iter=fitting.iterations, random_state=fitting.seed, tol=fitting.tol
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        svm.fit(vectors, positive)
    slow = any(issubclass(warning.category, ConvergenceWarning) for warning in caught)
    return svm.coef_[0], float(svm.intercept_[0]), not slow
