"""PCA with whitening, learned on one set of features and used on others; saved as arrays."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save_file

from gapnet.errors import GapnetError, reading
from gapnet.models.weights.files import weights_digest
from gapnet.retrieval.unit_vectors import BLOCK, unit
from gapnet.system.files import atomic_file
from gapnet.system.value_checks import whole_number
from gapnet.transfer.feature_rows import Features, Vectors

KEY, DIGEST = "gapnet_whitening", "gapnet_sha256"  # keys of the metadata
ARRAYS = ("mean", "components", "deviations")
TEXTS = ("layer", "weights", "data")
LEAST = 1e-6  # deviation, as a share of the largest, below which a direction is only rounding

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Axes:
    """Mean (D,), orthogonal directions (k, D) and the deviations (k,) along them, largest first.

    `share` is the share of the variance that each direction has, (k,).
    """

    mean: Array
    components: Array
    deviations: Array
    share: Array


def principal_axes(vectors: Vectors, count: int) -> Axes:
    """Return the principal axes of vectors (N, D), without a copy of all of them in float64."""
    mean = sum(block.sum(0) for block in _blocks(vectors)) / len(vectors)
    covariance = np.zeros((vectors.shape[1], vectors.shape[1]))
    for block in _blocks(vectors):
        centred = block - mean
        covariance += centred.T @ centred
    covariance /= max(1, len(vectors) - 1)
    variances, directions = np.linalg.eigh(covariance)
    largest = np.argsort(-variances)[:count]
    variances = np.clip(variances, 0, None)
    components = directions[:, largest].T
    strongest = np.take_along_axis(components, np.abs(components).argmax(1)[:, None], 1)
    return Axes(
        mean,
        components * np.where(strongest < 0, -1, 1),  # else the sign would be arbitrary
        np.sqrt(variances[largest]),
        variances[largest] / max(variances.sum(), np.finfo(float).tiny),
    )


def _blocks(vectors: Vectors) -> Iterator[Array]:
    for start in range(0, len(vectors), BLOCK):
        yield vectors[start : start + BLOCK].astype(np.float64)


@dataclass(frozen=True)
class Whitening:
    """Projection to uncorrelated numbers of equal variance (CroW and SPoC).

    Args:
        mean: of the vectors of length 1, (D,).
        components: directions, (k, D).
        deviations: standard deviations along them, (k,).
        layer: whose vectors it takes.
        weights: a digest of the network's weights.
        data: title of the data set that it was learned on.
    """

    mean: Array
    components: Array
    deviations: Array
    layer: str
    weights: str
    data: str

    @classmethod
    def learn(cls, features: Features, components: int, *, layer: str, data: str) -> "Whitening":
        """Learn a whitening from features."""
        whole_number("components", components, least=1)
        images, size = features.vectors.shape
        most = min(images - 1, size)
        if components > most:
            raise GapnetError(
                f"components={components}: must be <= {most} ({images:,} images, {size} numbers)"
            )
        axes = principal_axes(unit(features.vectors), components)
        varied = int((axes.deviations > LEAST * max(axes.deviations[0], LEAST)).sum())
        if varied < components:
            raise GapnetError(
                f"components={components}: the features vary in only {varied} directions; use "
                f"components={varied}"
                if varied
                else f"layer={layer}: all vectors are the same"
            )
        weights = features.about.weights
        return cls(axes.mean, axes.components, axes.deviations, layer, weights, data)

    def __call__(self, vectors: Vectors) -> Vectors:
        """Return vectors (N, k) of length 1 from features (N, D)."""
        if vectors.shape[1:] != self.mean.shape:
            raise GapnetError(
                f"vectors {vectors.shape}: this whitening takes vectors of {len(self.mean)} numbers"
            )
        white = np.empty((len(vectors), len(self.deviations)), np.float32)
        for start in range(0, len(vectors), BLOCK):
            centred = unit(vectors[start : start + BLOCK]) - self.mean
            white[start : start + BLOCK] = centred @ self.components.T / self.deviations
        return unit(white)

    def check_fits(self, features: Features, layer: str, place: Path) -> None:
        """Refuse features of another network or layer."""
        if (features.about.weights, layer) != (self.weights, self.layer):
            what = "layer" if features.about.weights == self.weights else "network"
            raise GapnetError(
                f"whitening={place}: was learned on features of another {what} "
                f"(layer {self.layer} of {self.data}); learn it with the network and the layer of "
                "these features"
            )

    def save(self, path: Path) -> None:
        """Write a safetensors file."""
        state = {
            name: torch.from_numpy(np.ascontiguousarray(getattr(self, name))) for name in ARRAYS
        }
        description = json.dumps({name: getattr(self, name) for name in TEXTS})
        metadata = {KEY: description, DIGEST: weights_digest(state, description)}
        with atomic_file(path) as unfinished:
            save_file(state, unfinished, metadata=metadata)

    @classmethod
    def load(cls, path: Path) -> "Whitening":
        """Read a file that `save` wrote; it is not trusted."""
        with reading(path, "is not a file of gapnet whiten"):
            with safe_open(path, framework="pt") as file:
                state = {name: file.get_tensor(name) for name in ARRAYS}
                metadata = file.metadata() or {}
            text = metadata[KEY]
            if metadata[DIGEST] != weights_digest(state, text):
                raise ValueError("its checksum is wrong")
            values = json.loads(text)
            mean, components, deviations = (state[name].double().numpy() for name in ARRAYS)
            layer, weights, data = (str(values[name]) for name in TEXTS)
            whitening = cls(mean, components, deviations, layer, weights, data)
            whitening._check()
        return whitening

    def _check(self) -> None:
        shapes = (self.components.shape, self.deviations.shape, self.mean.shape)
        count, size = len(self.deviations), len(self.mean)
        if shapes != ((count, size), (count,), (size,)) or not count:
            raise ValueError("its arrays do not fit each other")
        finite = all(np.isfinite(getattr(self, name)).all() for name in ARRAYS)
        if not (finite and (self.deviations > 0).all()):
            raise ValueError("it contains NaN or infinite values, or deviations of 0")
