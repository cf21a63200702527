"""Vectors of length 1, so that the similarity of images is a dot product."""

import numpy as np

from gapnet.errors import GapnetError
from gapnet.transfer.feature_rows import Features, Vectors

BLOCK = 8192  # vectors at a time, to bound the memory


def unit(vectors: Vectors) -> Vectors:
    """Return vectors (N, D) of length 1; a vector of zeros stays, and is similar to none.

    >>> unit(np.array([[3, 4], [0, 0]], np.float32)).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    result = np.empty(vectors.shape, np.float32)
    for start in range(0, len(vectors), BLOCK):
        part = vectors[start : start + BLOCK].astype(np.float64)
        lengths = np.linalg.norm(part, axis=1, keepdims=True)
        result[start : start + BLOCK] = part / np.where(lengths > 0, lengths, 1)
    return result


def check_varied(features: Features, layer: str) -> None:
    """Refuse features that are the same for all images."""
    vectors = features.vectors
    if len(vectors) > 1 and (vectors == vectors[:1]).all():
        raise GapnetError(
            f"layer={layer}: all {len(vectors):,} vectors of split {features.about.split!r} are "
            "the same; check the network, or choose another layer"
        )
