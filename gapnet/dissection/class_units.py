"""Class-specific units (figure 13 of the paper), and what removing them does to the classes."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor

from gapnet.data.sample import Batch
from gapnet.dissection.annotated_images import readable_of
from gapnet.dissection.state_files import StateFile
from gapnet.dissection.thresholds import Arrays
from gapnet.dissection.top_images import TopImages
from gapnet.errors import GapnetError
from gapnet.models.gapnet import GapNet

PREFIX = "top."


class ClassUnits(NamedTuple):
    """Units with the largest weights of a class in the linear layer, best first."""

    label: int
    units: list[int]
    weights: list[float]


def class_units(network: GapNet, labels: Sequence[int], count: int) -> list[ClassUnits]:
    """Return the `count` units with the largest weights of every class."""
    weights = network.pooling_head().linear.weight.detach().float().cpu()
    if not 0 < count <= weights.shape[1]:
        raise GapnetError(f"units={count}: must be an integer >= 1 and <= {weights.shape[1]}")
    ranked = weights.argsort(dim=1, descending=True, stable=True)[:, :count]
    return [
        ClassUnits(label, ranked[label].tolist(), weights[label, ranked[label]].tolist())
        for label in labels
    ]


def without_units(features: Tensor, units: Sequence[int]) -> Tensor:
    """Return features (B, C, h, w) in which some units are 0 everywhere."""
    ablated = features.clone()
    ablated[:, list(units)] = 0
    return ablated


class AblationState:
    """Images of each class that are classified correctly, with all units and without some.

    `right` (1 + R, classes) has a row for the whole network, and one for each of R ablations.
    """

    def __init__(self, ablations: int, classes: int, top: TopImages) -> None:
        """Begin without images; `top` are those of the units."""
        self.total = np.zeros(classes, np.int64)
        self.right = np.zeros((1 + ablations, classes), np.int64)
        self.top = top

    def add(self, predictions: Sequence[Tensor], labels: Tensor) -> None:
        """Add predicted classes (B,) of the network and of each ablation; labels (B,)."""
        known = labels >= 0
        classes = len(self.total)
        self.total += np.bincount(labels[known], minlength=classes)
        for row, predicted in enumerate(predictions):
            right = labels[known & (predicted == labels)]
            self.right[row] += np.bincount(right, minlength=classes)

    def arrays(self) -> Arrays:
        """Return the state for a file."""
        return {"total": self.total, "right": self.right, **self.top.arrays(PREFIX)}

    def merge(self, arrays: Arrays) -> None:
        """Add the state of other images."""
        self.total += arrays["total"]
        self.right += arrays["right"]
        self.top.merge(arrays, PREFIX)


class Accuracy(NamedTuple):
    """Accuracy on a class and the mean over the other classes, before and after an ablation."""

    own_before: float
    own_after: float
    others_before: float
    others_after: float


def accuracy_of(state: AblationState, ablation: int, label: int) -> Accuracy:
    """Return the effect of an ablation, counted from 0, on a class and on the others.

    Classes without images are left out; a class without images has an accuracy of NaN.
    """
    with np.errstate(invalid="ignore"):
        shares = state.right / state.total
    others = np.flatnonzero((state.total > 0) & (np.arange(len(state.total)) != label))
    means = [float(row[others].mean()) if len(others) else float("nan") for row in shares]
    before, after = 0, 1 + ablation
    return Accuracy(
        float(shares[before, label]), float(shares[after, label]), means[before], means[after]
    )


class AblationPass(pl.LightningModule):
    """Lightning module that classifies images with and without units, and finds top images."""

    def __init__(
        self,
        network: GapNet,
        chosen: Sequence[ClassUnits],
        state: AblationState,
        file: StateFile,
        *,
        rows: Mapping[str, int],
    ) -> None:
        """Remove the units of each class in turn; `rows` of the images in the split, by id."""
        super().__init__()
        self.network, self.chosen, self.state, self.file = network, list(chosen), state, file
        self.row_of, self.stage_names = rows, ["units"]
        # There may be more ranks than batches
        self.allow_zero_length_dataloader_with_multiple_devices = True

    def on_predict_start(self) -> None:
        """Name the file of the state after the rank."""
        self.file.name_after(self.global_rank)

    def on_predict_epoch_end(self) -> None:
        """Save the state."""
        self.file.save(self.state.arrays())

    def predict_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        """Classify a batch."""
        rows, readable = [self.row_of[identity] for identity in batch.ids], readable_of(batch)
        images = self.network.normalise(batch.images[readable])
        if readable:
            features = self.network.forward_features(images)
            ablated = (without_units(features, own.units) for own in self.chosen)
            heads = [self.network.forward_head(some) for some in (features, *ablated)]
            labels = batch.labels[readable].cpu()
            self.state.add([logits.argmax(1).cpu() for logits in heads], labels)
            kept = torch.tensor([rows[index] for index in readable])
            self.state.top.add(features.float(), kept)
        self.file.add(rows, self.state.arrays)
