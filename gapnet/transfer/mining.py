"""Hard-negative mining: an SVM on all positives and those negatives that are hard to separate.

Felzenszwalb et al., "Object detection with discriminatively trained part-based models", 2010:
the easy negatives of the training set are dropped and hard ones of the pool are added, until no
negative outside the training set is within the margin. The SVM is then that of all negatives.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gapnet.system.value_checks import whole_number
from gapnet.transfer.feature_rows import Vectors

MARGIN = 1.0  # negatives with a decision value below -1 do not change the SVM
SLACK = 1e-3  # of the margin: LIBLINEAR stops before it reaches the optimum
ROWS = 8192  # vectors at a time

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Mining:
    """How negatives are chosen.

    Args:
        start: negatives that are drawn at random for the first round.
        added: hard negatives that are added after a round, at most: those with the highest values.
        rounds: trainings, at most; 1 mines nothing.
        seed: of the draw.
    """

    start: int = 500
    added: int = 500
    rounds: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the values."""
        whole_number("mining.start", self.start, least=1)
        whole_number("mining.added", self.added, least=1)
        whole_number("mining.rounds", self.rounds, least=1)
        whole_number("mining.seed", self.seed)


class Plane(NamedTuple):
    """A hyperplane: weight (D,) and bias."""

    weight: Array
    bias: float

    def decisions(self, vectors: Vectors) -> Array:
        """Return the decision values (N,) of vectors (N, D)."""
        starts = range(0, max(1, len(vectors)), ROWS)
        parts = [vectors[start : start + ROWS].astype(np.float64) for start in starts]
        return np.concatenate([part @ self.weight + self.bias for part in parts])


class Round(NamedTuple):
    """A training: its SVM, its negatives, and what was changed for the next one.

    `hard` are the negatives of the pool within the margin; `added` of them were added, and
    `dropped` easy negatives were left out.
    """

    plane: Plane
    negatives: int
    hard: int
    added: int
    dropped: int


Fit = Callable[[Array, Mask], Plane]  # from vectors (N, D), and whether they are positive (N,)


def mine(vectors: Vectors, positive: Mask, mining: Mining, fit: Fit) -> list[Round]:
    """Train rounds on vectors (N, D); the SVM of the last one is the result."""
    pool, rng = np.flatnonzero(~positive), np.random.default_rng(mining.seed)
    used = positive.copy()
    used[rng.choice(pool, min(mining.start, len(pool)), replace=False)] = True
    rounds: list[Round] = []
    while len(rounds) < mining.rounds:
        plane = fit(vectors[used].astype(np.float64), positive[used])
        negatives = int((used & ~positive).sum())
        decisions = plane.decisions(vectors)
        hard = np.flatnonzero(~used & (decisions > -MARGIN + SLACK))
        if not len(hard) or len(rounds) == mining.rounds - 1:
            return [*rounds, Round(plane, negatives, len(hard), 0, 0)]
        easy = used & ~positive & (decisions < -MARGIN - SLACK)
        hardest = hard[np.argsort(-decisions[hard], kind="stable")][: mining.added]
        used[easy], used[hardest] = False, True
        rounds.append(Round(plane, negatives, len(hard), len(hardest), int(easy.sum())))
    return rounds
