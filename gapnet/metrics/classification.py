"""Error rates over a stream of batches."""

import torch
from torch import Tensor
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


class Mean(Metric):
    """Mean of one number per image, over batches and ranks.

    >>> mean = Mean()
    >>> mean(torch.tensor([1.0, 2.0])).item()
    1.5
    """

    summed: Tensor
    total: Tensor

    def __init__(self) -> None:
        """Start with no images."""
        super().__init__()
        self.add_state("summed", default=torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("total", default=torch.tensor(0), dist_reduce_fx="sum")

    def update(self, values: Tensor) -> None:
        """Add the numbers (N,) of a batch."""
        self.summed += values.sum()
        self.total += len(values)

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
