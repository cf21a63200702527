"""The loss of a training, and weights of its classes."""

from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from gapnet.data.record_table import UNKNOWN
from gapnet.data.records import Records
from gapnet.data.sample import Batch
from gapnet.errors import GapnetError
from gapnet.system.value_checks import number, one_of

Kind = Literal["cross_entropy", "bce"]
ClassWeights = Literal["none", "balanced"]


class Loss:
    """Cross entropy of one class per image, or binary cross entropy of every class."""

    def __init__(self, kind: Kind, *, label_smoothing: float, class_weights: ClassWeights) -> None:
        """Check the values.

        Args:
            kind: cross_entropy, or bce for images with several classes.
            label_smoothing: share of the labels that is spread over all classes (for bce, over
                "yes" and "no").
            class_weights: none or balanced; `count` must then be called before the training.
        """
        one_of("classifier.loss", kind, get_args(Kind))
        one_of("classifier.class_weights", class_weights, get_args(ClassWeights))
        number("classifier.label_smoothing", label_smoothing, least=0, most=1)
        self.kind, self.label_smoothing, self.class_weights = kind, label_smoothing, class_weights
        self.weights: Tensor | None = None

    def check(self, records: Records) -> None:
        """Refuse images with several classes, unless the loss can learn all of them."""
        if records.multi_label and self.kind != "bce":
            raise GapnetError(
                f"classifier.loss={self.kind}: learns one class per image, and the images have "
                "several; use classifier.loss=bce, or choose one class with data.several=largest"
            )

    def count(self, records: Records, num_classes: int) -> None:
        """Compute the weights of the classes from the images that are trained on, if needed."""
        if self.class_weights == "balanced":
            self.weights = (
                positive_weights(_targets(records, num_classes))
                if self.kind == "bce"
                else balanced_weights(records.labels, num_classes)
            )

    def __call__(self, logits: Tensor, batch: Batch) -> Tensor:
        """Return the mean loss of a batch, with the weights of the classes."""
        weights = None if self.weights is None else self.weights.to(logits)
        if self.kind == "bce":
            targets = self._smooth(batch.targets(logits.shape[1]))
            return binary_cross_entropy_with_logits(logits, targets, pos_weight=weights)
        return cross_entropy(logits, batch.labels, weights, label_smoothing=self.label_smoothing)

    def per_image(self, logits: Tensor, batch: Batch) -> Tensor:
        """Return the losses (N,) of the images whose class is known, without weights."""
        is_known = batch.labels != UNKNOWN
        logits, labels = logits[is_known].float(), batch.labels[is_known]
        if self.kind == "bce":
            targets = self._smooth(batch.targets(logits.shape[1]))[is_known]
            return binary_cross_entropy_with_logits(logits, targets, reduction="none").mean(1)
        return cross_entropy(logits, labels, reduction="none", label_smoothing=self.label_smoothing)

    def _smooth(self, targets: Tensor) -> Tensor:
        """Move targets of 0 and 1 towards a half, as Keras does for binary cross entropy."""
        return targets * (1 - self.label_smoothing) + self.label_smoothing / 2


def balanced_weights(labels: Tensor, num_classes: int) -> Tensor:
    """Return a weight per class, (classes,), that is inversely proportional to its images.

    The weights of all images (N,) have the mean 1; a class without images has the weight 0.

    >>> balanced_weights(torch.tensor([0, 0, 0, 1]), 2).tolist()
    [0.6666666865348816, 2.0]
    """
    counts = torch.bincount(labels[labels != UNKNOWN], minlength=num_classes)
    share = counts.sum() / (counts.count_nonzero() * counts)
    return torch.where(counts > 0, share, 0.0)


def positive_weights(targets: Tensor) -> Tensor:
    """Return per class, (classes,), the number of images without it for one image with it.

    >>> positive_weights(torch.tensor([[1, 0], [0, 1], [0, 1], [0, 1]])).tolist()
    [3.0, 0.3333333432674408]
    """
    positive = targets.sum(0)
    return torch.where(positive > 0, (len(targets) - positive) / positive, 1.0)


def _targets(records: Records, num_classes: int) -> Tensor:
    """Return which classes all images have, (N, classes), as 0 and 1."""
    targets = torch.zeros(len(records), num_classes)
    for row, record in enumerate(records):
        labels = record.labels or ((record.label,) if record.label != UNKNOWN else ())
        targets[row, list(labels)] = 1
    return targets
