"""Metrics of decision values: accuracy of single labels, mean average precision of several."""

import numpy as np
import torch
from numpy.typing import NDArray

from gapnet.evaluation.bootstrap import intervals
from gapnet.evaluation.score import Metric
from gapnet.metrics.average_precision import average_precisions
from gapnet.transfer.feature_rows import Features

Array = NDArray[np.float64]
PROTOCOL = "svm"
RESAMPLES = 1000


def accuracy(decisions: Array, labels: NDArray[np.int64]) -> Array:
    """Return 1 for the images (N,) whose highest decision value is that of their class, else 0."""
    hits: Array = (decisions.argmax(1) == labels).astype(np.float64)
    return hits


def class_weights(labels: NDArray[np.int64]) -> Array:
    """Return weights of images (N,) with which a mean over images is the mean over classes."""
    counts = np.bincount(labels)
    weights: Array = len(labels) / ((counts > 0).sum() * counts[labels])
    return weights


def score_decisions(
    decisions: Array, features: Features, *, data: str, rules: str, seed: int = 0
) -> list[Metric]:
    """Return the metrics of decision values (N, classes).

    Images that could not be read are wrong, but do not count in a mean average precision, whose
    interval is over classes; the others are over images.
    """
    if features.multi_label:
        values = {
            "mean_average_precision": average_precisions(decisions, features.targets()),
        }
    else:
        missed = np.zeros(len(features.unreadable))
        hits = np.concatenate([accuracy(decisions, features.labels), missed])
        labels = np.concatenate([features.labels, features.unreadable_labels])
        values = {"accuracy": hits, "mean_class_accuracy": class_weights(labels) * hits}
    return [
        _metric(name, shares, len(decisions), features, data=data, rules=rules, seed=seed)
        for name, shares in values.items()
    ]


def _metric(
    name: str, values: Array, images: int, features: Features, *, data: str, rules: str, seed: int
) -> Metric:
    low, high = intervals(torch.from_numpy(values)[:, None], resamples=RESAMPLES, seed=seed)
    return Metric(
        metric=name,
        value=float(values.mean()),
        n=images + len(features.unreadable),
        low=low.item(),
        high=high.item(),
        threshold=None,
        chosen_on=None,
        protocol=PROTOCOL,
        data=data,
        split=features.about.split,
        rules=rules,
    )
