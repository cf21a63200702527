"""Positions of images in a plane by t-SNE (scikit-learn's): similar images are close together."""

import numpy as np
from sklearn.manifold import TSNE

from gapnet.errors import GapnetError
from gapnet.retrieval.embedding import Positions, projected
from gapnet.retrieval.unit_vectors import unit
from gapnet.transfer.feature_rows import Vectors

DENSE = 50  # numbers per image that t-SNE gets, by PCA


def tsne_positions(vectors: Vectors, *, perplexity: float, seed: int) -> Positions:
    """Return positions by t-SNE of vectors (N, D)."""
    if perplexity >= len(vectors):
        raise GapnetError(
            f"perplexity={perplexity:g}: must be less than the number of images, {len(vectors)}"
        )
    dense, _ = projected(unit(vectors), min(DENSE, *vectors.shape))
    tsne = TSNE(perplexity=perplexity, random_state=seed, init="pca", learning_rate="auto")
    points = tsne.fit_transform(dense).astype(np.float32)
    return Positions(
        "t-SNE", points, f"perplexity {perplexity:g}; distances between groups mean little"
    )
