"""The loss of a training, and weights of its classes."""

from typing import Literal

import torch
from torch import Tensor

from gapnet.data.record_table import UNKNOWN

ClassWeights = Literal["none", "balanced"]


def balanced_weights(labels: Tensor, num_classes: int) -> Tensor:
    """Return a weight per class, (classes,), that is inversely proportional to its images.

    The weights of all images (N,) have the mean 1; a class without images has the weight 0.

    >>> balanced_weights(torch.tensor([0, 0, 0, 1]), 2).tolist()
    [0.6666666865348816, 2.0]
    """
    counts = torch.bincount(labels[labels != UNKNOWN], minlength=num_classes)
    share = counts.sum() / (counts.count_nonzero() * counts)
    return torch.where(counts > 0, share, 0.0)
