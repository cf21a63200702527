"""Verdicts, one per image: is the label right, is the box?"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gapnet.ops.boxes import iou


def label_hits(ranked: Tensor, labels: Tensor, *, within: int) -> Tensor:
    """Tell whether the label (N,) is among the first `within` of ranked classes (N, R): (N,).

    >>> label_hits(torch.tensor([[3, 1], [0, 2]]), torch.tensor([1, 1]), within=2).tolist()
    [True, False]
    """
    return (ranked[:, :within] == labels[:, None]).any(1)


class PaddedBoxes(NamedTuple):
    """Hold the boxes (N, M, 4) of N images, and which of them are present (N, M)."""

    xyxy: Tensor
    present: Tensor


def pad_boxes(boxes: Sequence[Tensor]) -> PaddedBoxes:
    """Stack the boxes (n, 4) of each of N images."""
    most = max((len(each) for each in boxes), default=0)
    padded = torch.zeros(len(boxes), most, 4)
    present = torch.zeros(len(boxes), most, dtype=torch.bool)
    for row, each in enumerate(boxes):
        padded[row, : len(each)] = each
        present[row, : len(each)] = True
    return PaddedBoxes(padded, present)


def best_iou(boxes: Tensor, truth: PaddedBoxes, *, inclusive: bool) -> Tensor:
    """Give the highest IoU (N, G) of each box (N, G, 4) with any true box of its image."""
    overlaps = iou(boxes[:, :, None], truth.xyxy[:, None], inclusive=inclusive)
    return overlaps.masked_fill(~truth.present[:, None], 0.0).amax(-1)


def localization_hits(
    guess_labels: Tensor, guess_ious: Tensor, labels: Tensor, *, within: int, threshold: float
) -> Tensor:
    """Tell whether any of the first `within` guesses has the right label and a right box: (N,).

    Args:
        guess_labels: (N, G), most confident first.
        guess_ious: each guess's highest IoU with a true box, (N, G).
        labels: (N,).
        within: how many guesses count.
        threshold: the IoU from which on (not above which) a box is right.
    """
    right = (guess_labels == labels[:, None]) & (guess_ious >= threshold)
    return right[:, :within].any(1)
