"""Localization error over a stream of batches."""

from torch import Tensor

from gapnet.metrics.classification import ErrorRate
from gapnet.metrics.functional import best_iou, pad_lists


class GtKnownError(ErrorRate):
    """Share of images whose predicted box of the true class overlaps no true box enough.

    >>> import torch
    >>> error = GtKnownError(inclusive=True, threshold=0.5)
    >>> error(torch.tensor([[0.0, 0.0, 9.0, 9.0]]), [torch.tensor([[0.0, 0.0, 9.0, 4.0]])]).item()
    0.0
    """

    def __init__(self, *, inclusive: bool, threshold: float) -> None:
        """Count a box as right if its IoU is at least `threshold`."""
        super().__init__()
        self.inclusive, self.threshold = inclusive, threshold

    def update(self, boxes: Tensor, truth: list[Tensor]) -> None:
        """Add the boxes (B, 4) of a batch, with the true boxes per image, B times (n, 4)."""
        padded = pad_lists(
            [image_boxes.cpu() for image_boxes in truth]
        )  # DDP moves all of a batch to the GPU
        overlaps = best_iou(boxes[:, None].cpu(), padded, inclusive=self.inclusive)
        self.count(overlaps[:, 0] >= self.threshold)
