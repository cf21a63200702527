"""Error rates over a stream of batches."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torchmetrics import Metric

from gapnet.metrics.functional import label_hits


class ErrorRate(Metric):
    """Share of wrong verdicts, over batches and ranks."""

    wrong: Tensor
    total: Tensor

    def __init__(self) -> None:
        """Start with no verdicts."""
        super().__init__()
        self.add_state("wrong", default=torch.tensor(0), dist_reduce_fx="sum")
        self.add_state("total", default=torch.tensor(0), dist_reduce_fx="sum")

    def count(self, hits: Tensor) -> None:
        """Add verdicts (N,), which are true if right."""
        self.wrong += (~hits).sum()
        self.total += hits.numel()

    def compute(self) -> Tensor:
        """Return the share of wrong verdicts; NaN if there are none."""
        return self.wrong / self.total


class CrossEntropy(Metric):
    """Mean cross entropy of the images whose label is known, over batches and ranks.

    >>> error = CrossEntropy()
    >>> round(error(torch.tensor([[0.0, 0.0], [9.0, 0.0]]), torch.tensor([1, -1])).item(), 4)
    0.6931
    """

    summed: Tensor
    total: Tensor

    def __init__(self, *, label_smoothing: float = 0.0) -> None:
        """Smooth the labels as the training does."""
        super().__init__()
        self.label_smoothing = label_smoothing
        self.add_state("summed", default=torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("total", default=torch.tensor(0), dist_reduce_fx="sum")

    def update(self, logits: Tensor, labels: Tensor) -> None:
        """Add the logits (B, classes) and labels (B,) of a batch; a negative label is unknown."""
        is_known = labels >= 0
        self.summed += cross_entropy(
            logits[is_known].float(),
            labels[is_known],
            reduction="sum",
            label_smoothing=self.label_smoothing,
        )
        self.total += is_known.sum()

    def compute(self) -> Tensor:
        """Return the mean; NaN if there are no images."""
        return self.summed / self.total


class TopKError(ErrorRate):
    """Share of images whose label is not among the k classes of the highest logits.

    >>> error = TopKError(k=1)
    >>> error(torch.tensor([[0.1, 0.9], [0.8, 0.2]]), torch.tensor([1, 1])).item()
    0.5
    """

    def __init__(self, *, k: int) -> None:
        """Use the first `k` classes."""
        super().__init__()
        self.k = k

    def update(self, logits: Tensor, labels: Tensor) -> None:
        """Add the logits (B, classes) and labels (B,) of a batch."""
        self.count(label_hits(logits.topk(self.k).indices, labels, within=self.k))
