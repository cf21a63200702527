"""Whether neighbours have the class of their query."""

import numpy as np
from numpy.typing import NDArray

from gapnet.transfer.feature_rows import Features

NEAREST_ACCURACY, PRECISION = "nearest_neighbour_accuracy", "mean_precision_at_{}"
PROTOCOL = "neighbours"


def same_classes(
    queries: Features, rows: NDArray[np.int64], base: Features, neighbours: NDArray[np.int64]
) -> NDArray[np.bool_] | None:
    """Return whether neighbours (Q, k) share a class with the queries `rows` (Q,).

    None if the classes are not known, or are those of another data set.
    """
    if queries.about.classes != base.about.classes:
        return None
    asked, searched = queries.targets()[rows], base.targets()
    if not (asked.any(1).all() and searched.any(1).all()):
        return None
    columns = [(asked & searched[column]).any(1) for column in neighbours.T]
    return np.stack(columns, axis=1)


def class_agreement(same: NDArray[np.bool_], missed: int) -> dict[str, NDArray[np.float64]]:
    """Return for each query, by metric, how many of its neighbours have its class.

    Args:
        same: whether each neighbour has the class of its query, (Q, k).
        missed: number of queries that could not be read, which count as wrong.
    """
    shares = {NEAREST_ACCURACY: same[:, 0], PRECISION.format(same.shape[1]): same.mean(1)}
    return {name: np.append(values, np.zeros(missed)) for name, values in shares.items()}
