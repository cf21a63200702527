"""Positions of images in a plane by their features: the first two principal components."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapnet.retrieval.unit_vectors import unit
from gapnet.retrieval.whitening import principal_axes
from gapnet.transfer.feature_rows import Vectors


@dataclass(frozen=True)
class Positions:
    """Positions (N, 2) of images by one method, and what its axes are."""

    method: str
    points: NDArray[np.float32]
    axes: str


def pca_positions(vectors: Vectors) -> Positions:
    """Return the first two principal components of vectors (N, D) of length 1."""
    points, shares = projected(unit(vectors), 2)
    first, second = (f"{share:.1%}" for share in shares)
    return Positions("PCA", points, f"across {first} of the variance, upwards {second}")


def projected(vectors: Vectors, count: int) -> tuple[Vectors, NDArray[np.float64]]:
    """Return vectors on their first principal axes, and the shares of the variance."""
    axes = principal_axes(vectors, count)
    points = (vectors - axes.mean) @ axes.components.T
    return points.astype(np.float32), axes.share
