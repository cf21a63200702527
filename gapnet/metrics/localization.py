"""Localization error over a stream of batches."""

from torch import Tensor

from gapnet.metrics.classification import ErrorRate
from gapnet.metrics.functional import best_iou, pad_lists


class GtKnownError(ErrorRate):
    """Share of images in which the box found for the true class overlaps no true box enough.

    >>> import torch
    >>> error = GtKnownError(inclusive=True, threshold=0.5)
    >>> error(torch.tensor([[0.0, 0.0, 9.0, 9.0]]), [torch.tensor([[0.0, 0.0, 9.0, 4.0]])]).item()
    0.0
    """

    def __init__(self, *, inclusive: bool, threshold: float) -> None:
        """Ask for an IoU of at least `threshold`."""
        super().__init__()
        self.inclusive, self.threshold = inclusive, threshold

    def update(self, boxes: Tensor, truth: list[Tensor]) -> None:
        """Count boxes (B, 4) against the true boxes of each image, B times (n, 4)."""
        padded = pad_lists([each.cpu() for each in truth])  # DDP moves all of a batch to the GPU
        overlaps = best_iou(boxes[:, None].cpu(), padded, inclusive=self.inclusive)
        self.count(overlaps[:, 0] >= self.threshold)
