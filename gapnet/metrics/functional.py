"""Verdicts, one per image: is the label right, is the box?"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gapnet.ops.boxes import iou


def label_hits(ranked: Tensor, labels: Tensor, *, within: int) -> Tensor:
    """Return whether the label (N,) is among the first `within` of ranked classes (N, R): (N,).

    >>> label_hits(torch.tensor([[3, 1], [0, 2]]), torch.tensor([1, 1]), within=2).tolist()
    [True, False]
    """
    return (ranked[:, :within] == labels[:, None]).any(1)


class PaddedBoxes(NamedTuple):
    """Boxes (N, M, 4) of N images, and which of them are present (N, M)."""

    xyxy: Tensor
    present: Tensor


def pad_boxes(boxes: Tensor, counts: Tensor) -> PaddedBoxes:
    """Return the boxes (M, 4) of N images as padded boxes; image i has counts[i] of them.

    >>> pad_boxes(torch.zeros(3, 4), torch.tensor([1, 2])).present.tolist()
    [[True, False], [True, True]]
    """
    present = torch.arange(int(counts.max()) if len(counts) else 0) < counts[:, None]
    padded = torch.zeros(*present.shape, 4)
    padded[present] = boxes
    return PaddedBoxes(padded, present)


def pad_lists(boxes: Sequence[Tensor]) -> PaddedBoxes:
    """Return the boxes of N images, (n, 4) per image, as padded boxes."""
    counts = torch.tensor([len(image_boxes) for image_boxes in boxes])
    return pad_boxes(torch.cat(list(boxes)) if len(boxes) else torch.zeros(0, 4), counts)


def best_iou(boxes: Tensor, truth: PaddedBoxes, *, inclusive: bool) -> Tensor:
    """Return the highest IoU (N, G) of every box (N, G, 4) with a true box of its image."""
    highest = torch.zeros(boxes.shape[:2], dtype=torch.result_type(boxes, truth.xyxy))
    for column in range(truth.present.shape[1]):  # few images have many boxes
        rows = truth.present[:, column].nonzero()[:, 0]
        overlaps = iou(boxes[rows], truth.xyxy[rows, column, None], inclusive=inclusive)
        highest[rows] = torch.maximum(highest[rows], overlaps)
    return highest


def localization_hits(
    guess_labels: Tensor, right_boxes: Tensor, labels: Tensor, *, within: int
) -> Tensor:
    """Return whether one of the first `within` guesses has the right label and box: (N,).

    Args:
        guess_labels: (N, G), most confident first.
        right_boxes: whether the box of every guess is right, (N, G).
        labels: (N,).
        within: how many guesses count.
    """
    right = (guess_labels == labels[:, None]) & right_boxes
    return right[:, :within].any(1)
