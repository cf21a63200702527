"""One linear SVM per class, on vectors of a network; saved as arrays, never as a pickle."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save_file

from gapnet.errors import GapnetError, reading
from gapnet.evaluation.predict import digest_of_weights
from gapnet.models.gapnet import GapNet
from gapnet.models.new_linear_layer import with_linear
from gapnet.models.weights.files import weights_digest
from gapnet.system.files import atomic_file
from gapnet.transfer.layers import GAP

KEY, DIGEST = "gapnet_svm", "gapnet_sha256"  # keys of the metadata
TEXTS = ("layer", "weights", "data")
ROWS = 8192  # vectors at a time

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LinearSvm:
    """Linear SVMs, one per class against the others.

    Args:
        weight: (classes, D).
        bias: (classes,).
        classes: ids.
        layer: whose vectors it takes.
        weights: a digest of the network's weights.
        data: title of the data set that it was trained on.
        C: the cost of errors, which was chosen or fixed.
    """

    weight: Array
    bias: Array
    classes: tuple[str, ...]
    layer: str
    weights: str
    data: str
    C: float

    def decisions(self, vectors: NDArray[np.float32]) -> Array:
        """Return the decision values (N, classes) of vectors (N, D)."""
        if vectors.shape[1:] != self.weight.shape[1:]:
            raise GapnetError(
                f"vectors {vectors.shape}: this SVM takes vectors of {self.weight.shape[1]} numbers"
            )
        starts = range(0, max(1, len(vectors)), ROWS)
        parts = [vectors[start : start + ROWS].astype(np.float64) for start in starts]
        return np.concatenate([part @ self.weight.T + self.bias for part in parts])

    def network(self, network: GapNet) -> GapNet:
        """Return the network with this SVM as its linear layer.

        Its logits are the decision values, and its class maps localize the new classes.
        """
        if self.layer != GAP:
            raise GapnetError(
                f"layer={self.layer}: only the SVM of layer={GAP} can replace the linear layer"
            )
        if digest_of_weights(network) != self.weights:
            raise GapnetError(
                f"network {network.name!r}: this SVM was trained on features of another network; "
                "use the network of those features"
            )
        weight, bias = (torch.from_numpy(values) for values in (self.weight, self.bias))
        return with_linear(network, weight, bias=bias, classes=self.classes)

    def save(self, path: Path) -> None:
        """Write a safetensors file."""
        state = {"weight": torch.from_numpy(self.weight), "bias": torch.from_numpy(self.bias)}
        texts = {name: getattr(self, name) for name in TEXTS}
        description = json.dumps({"classes": list(self.classes), "C": self.C, **texts})
        metadata = {KEY: description, DIGEST: weights_digest(state, description)}
        with atomic_file(path) as unfinished:
            save_file(state, unfinished, metadata=metadata)

    @classmethod
    def load(cls, path: Path) -> "LinearSvm":
        """Read a file that `save` wrote; it is not trusted."""
        with reading(path, "is not an SVM of gapnet"):
            with safe_open(path, framework="pt") as file:
                state = {name: file.get_tensor(name) for name in ("weight", "bias")}
                metadata = file.metadata() or {}
            text = metadata[KEY]
            if metadata[DIGEST] != weights_digest(state, text):
                raise ValueError("its checksum is wrong")
            values = json.loads(text)
            weight, bias = (state[name].double().numpy() for name in ("weight", "bias"))
            layer, digest, data = (str(values[name]) for name in TEXTS)
            classes = tuple(map(str, values["classes"]))
            svm = cls(
                weight=weight,
                bias=bias,
                classes=classes,
                layer=layer,
                weights=digest,
                data=data,
                C=float(values["C"]),
            )
            svm._check()
        return svm

    def _check(self) -> None:
        count = len(self.classes)
        if self.weight.ndim != 2 or (len(self.weight), self.bias.shape) != (count, (count,)):  # noqa: PLR2004
            raise ValueError("its arrays do not fit its classes")
        if not (np.isfinite(self.weight).all() and np.isfinite(self.bias).all()):
            raise ValueError("it contains NaN or infinite values")
