"""Overlaps of predicted and true boxes, in the frame of a protocol."""

from typing import NamedTuple

import torch
from torch import Tensor

from gapnet.evaluation.ground_truth import SplitTruth
from gapnet.evaluation.predictions import Predictions, SweptBoxes
from gapnet.evaluation.protocols import Protocol
from gapnet.metrics.functional import PaddedBoxes, best_iou
from gapnet.ops.boxes import iou

ROWS = 512  # images whose sweeps are processed together, to bound the memory


class Overlaps(NamedTuple):
    """Highest IoU of the true class's boxes with a true box.

    own (N,): of the box at the boxer's cut. main and any (N, T): at T cuts, of the main
    box, and of the best box. A boxer without a single threshold has no cuts.
    """

    own: Tensor
    main: Tensor
    any: Tensor
    cuts: list[float]


def framed_truth(boxes: PaddedBoxes, sizes: Tensor, protocol: Protocol) -> PaddedBoxes:
    """Convert the true boxes that count to the frame of a protocol."""
    most = 1 if protocol.truth == "first" else None
    moved = protocol.frame_of().true_boxes(boxes.xyxy, sizes)
    return PaddedBoxes(moved[:, :most], boxes.present[:, :most])


def guess_overlaps(predictions: Predictions, boxes: PaddedBoxes, protocol: Protocol) -> Tensor:
    """Return the highest IoUs (N, G) of guesses with the true boxes of their images."""
    sizes = predictions.sizes
    predicted = protocol.frame_of().predicted_boxes(predictions.guesses.boxes, sizes)
    return best_iou(predicted, framed_truth(boxes, sizes, protocol), inclusive=protocol.inclusive)


def own_overlaps(predictions: Predictions, truth: SplitTruth, protocol: Protocol) -> Tensor | None:
    """Return the overlaps (N,) of the true classes' boxes at the boxer's cut; None without any."""
    if predictions.known is None or truth.boxes is None:
        return None
    known, sizes = predictions.known[:, None], predictions.sizes
    predicted = protocol.frame_of().predicted_boxes(known, sizes)
    true = framed_truth(truth.boxes, sizes, protocol)
    return best_iou(predicted, true, inclusive=protocol.inclusive)[:, 0]


def known_overlaps(
    predictions: Predictions, truth: SplitTruth, protocol: Protocol
) -> Overlaps | None:
    """Return the overlaps of the boxes of the true classes; None if there are none."""
    own, swept = own_overlaps(predictions, truth, protocol), predictions.swept(ROWS)
    if own is None or truth.boxes is None or (swept is None and predictions.about.cuts):
        return None
    sizes = predictions.sizes
    true = framed_truth(truth.boxes, sizes, protocol)
    main = torch.zeros(len(own), len(predictions.about.cuts), dtype=torch.double)
    best = main if predictions.one_box_a_cut else torch.zeros_like(main)
    for boxes in swept or ():
        _sweep(boxes, true, sizes, protocol, into=(main, best))
    return Overlaps(own, main, best, list(predictions.about.cuts))


def _sweep(
    swept: SweptBoxes,
    true: PaddedBoxes,
    sizes: Tensor,
    protocol: Protocol,
    *,
    into: tuple[Tensor, Tensor],
) -> None:
    """Write the overlaps of the main and of the best boxes of some images into (N, T)."""
    main, best = into
    first, last = int(swept.rows[0]), int(swept.rows[-1])
    predicted = protocol.frame_of().predicted_boxes(swept.boxes[:, None], sizes[swept.rows])[:, 0]
    highest = torch.zeros(len(predicted), dtype=torch.double)
    for column in range(int(true.present[first : last + 1].sum(1).max())):
        present = true.present[swept.rows, column]
        overlaps = iou(
            predicted[present], true.xyxy[swept.rows[present], column], inclusive=protocol.inclusive
        )
        highest[present] = torch.maximum(highest[present], overlaps)
    cell = swept.rows * main.shape[1] + swept.cuts
    is_main = torch.ones_like(cell, dtype=torch.bool)
    is_main[1:] = cell[1:] != cell[:-1]
    main.view(-1)[cell[is_main]] = highest[is_main]
    if best is not main:
        best.view(-1).scatter_reduce_(0, cell, highest, "amax")
