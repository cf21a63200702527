"""Average precision of classes: how well their scores rank the images of multi-label data."""

import logging

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gapnet.data.record_table import UNKNOWN
from gapnet.evaluation.ground_truth import SplitTruth
from gapnet.evaluation.predictions import Predictions
from gapnet.metrics.average_precision import average_precisions

log = logging.getLogger(__name__)
Array = NDArray[np.float64]


def class_precisions(predictions: Predictions, truth: SplitTruth) -> Array | None:
    """Return the average precision of every class that an image has; None without all scores.

    An image that could not be read has the score 0 for every class.
    """
    if truth.label_sets is None:
        return None
    scores = _scores(predictions)
    if scores is None:
        log.warning(
            "no mean average precision: these predictions lack the scores of some classes; predict "
            "again with run=..."
        )
        return None
    targets = np.zeros(scores.shape, bool)
    for row, labels in enumerate(truth.label_sets):
        targets[row, [label for label in labels if label != UNKNOWN]] = True
    return average_precisions(scores, targets)


def _scores(predictions: Predictions) -> Array | None:
    """Return the scores of all classes (N, classes); None if a readable image lacks one."""
    classes, scores = (_lists(predictions, name) for name in ("classes", "scores"))
    counts = classes.value_lengths().to_numpy(zero_copy_only=False)
    readable = predictions.sizes[:, 0].numpy() > 0
    width = len(predictions.about.classes)
    if scores.null_count or (counts[readable] != width).any():
        return None
    labels = classes.flatten().to_numpy()
    known = labels >= 0
    rows = np.repeat(np.arange(len(counts)), counts)[known]
    matrix = np.zeros((len(counts), width))
    matrix[rows, labels[known]] = scores.flatten().to_numpy()[known]
    return matrix


def _lists(predictions: Predictions, name: str) -> pa.ListArray:
    return predictions.table[name].combine_chunks()
