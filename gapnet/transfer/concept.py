"""A detector of a concept: an SVM with mined negatives, and how well it ranks other images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gapnet.errors import GapnetError
from gapnet.evaluation.score import Metric
from gapnet.metrics.average_precision import average_precision
from gapnet.transfer.feature_rows import Features
from gapnet.transfer.mining import Fit, Mining, Plane, Round, mine
from gapnet.transfer.precision_interval import precision_intervals
from gapnet.transfer.scores import RESAMPLES

FEWEST = 2  # images with the concept, and without it
PROTOCOL = "concept"
METRICS = ("first_round_average_precision", "average_precision", "gain_of_mining")

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Detector:
    """What was mined on the training images.

    Args:
        concept: its name.
        rounds: of the mining.
        positives: number of training images that have the concept.
        pool: number of training images that do not.
    """

    concept: str
    rounds: Sequence[Round]
    positives: int
    pool: int

    @property
    def plane(self) -> Plane:
        """Return the SVM of the last round."""
        return self.rounds[-1].plane

    @property
    def complete(self) -> bool:
        """Return whether no negative outside the last training set is within the margin."""
        return not self.rounds[-1].hard


class Ranked(NamedTuple):
    """Test images by their decision value, the highest first."""

    ids: list[str]
    positive: NDArray[np.bool_]
    decisions: Array


def train_detector(training: Features, label: int, mining: Mining, fit: Fit) -> Detector:
    """Mine negatives for the class of a label, which is the concept."""
    positive = positives_of(training, label)
    plane = mine(training.vectors, positive, mining, fit)
    concept = training.about.classes[label]
    return Detector(concept, plane, int(positive.sum()), int((~positive).sum()))


def positives_of(features: Features, label: int) -> NDArray[np.bool_]:
    """Return which images have the concept, (N,); too few of a kind are an error."""
    positive: NDArray[np.bool_] = features.targets()[:, label]
    name, split = features.about.classes[label], features.about.split
    for count, kind in ((int(positive.sum()), "with"), (int((~positive).sum()), "without")):
        if count < FEWEST:
            raise GapnetError(
                f"concept={name}: split {split!r} has {count} readable images {kind} it; at least "
                f"{FEWEST} are needed; add images"
            )
    return positive


def rank(detector: Detector, test: Features, label: int) -> Ranked:
    """Rank the test images by the detector."""
    decisions, positive = detector.plane.decisions(test.vectors), positives_of(test, label)
    order = np.argsort(-decisions, kind="stable")
    return Ranked([test.ids[row] for row in order], positive[order], decisions[order])


def score_detector(
    detector: Detector, test: Features, label: int, *, data: str, rules: str
) -> list[Metric]:
    """Return the average precision of the first and the last round, and their difference."""
    positive = positives_of(test, label)
    planes = (detector.rounds[0].plane, detector.plane)
    scores = np.stack([plane.decisions(test.vectors) for plane in planes], 1)
    first, last = (average_precision(column, positive) for column in scores.T)
    bounds = precision_intervals(scores, positive, resamples=RESAMPLES, seed=0)
    values = zip(METRICS, (first, last, last - first), bounds, strict=True)
    return [
        Metric(
            metric=name,
            value=value,
            n=len(positive),
            low=low,
            high=high,
            threshold=None,
            chosen_on=None,
            protocol=PROTOCOL,
            data=data,
            split=test.about.split,
            rules=rules,
        )
        for name, value, (low, high) in values
    ]
