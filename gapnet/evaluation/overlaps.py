"""Overlaps of predicted with true boxes, in a protocol's frame."""

from typing import NamedTuple

import torch
from torch import Tensor

from gapnet.evaluation.ground_truth import Truth
from gapnet.evaluation.predictions import Predictions, SweptBoxes
from gapnet.evaluation.protocols import Protocol
from gapnet.metrics.functional import PaddedBoxes, best_iou
from gapnet.ops.boxes import iou

ROWS = 512  # images whose sweeps are looked at at a time, to bound the memory


class Overlaps(NamedTuple):
    """Hold the highest IoU of the true class's boxes with a true box.

    own (N,): by the boxer's own rule. main and any (N, T): at each of T cuts, of the main box, and
    of whichever box is best. A boxer that has no one threshold has no cuts.
    """

    own: Tensor
    main: Tensor
    any: Tensor
    cuts: list[float]


def framed_truth(boxes: PaddedBoxes, sizes: Tensor, protocol: Protocol) -> PaddedBoxes:
    """Carry true boxes into the frame; those that do not count go."""
    most = 1 if protocol.truth == "first" else None
    moved = protocol.frame_of().truth(boxes.xyxy, sizes)
    return PaddedBoxes(moved[:, :most], boxes.present[:, :most])


def guess_overlaps(predictions: Predictions, boxes: PaddedBoxes, protocol: Protocol) -> Tensor:
    """Give the highest IoU (N, G) of each guess with a true box of its image."""
    sizes = predictions.sizes
    found = protocol.frame_of().found(predictions.guesses.boxes, sizes)
    return best_iou(found, framed_truth(boxes, sizes, protocol), inclusive=protocol.inclusive)


def known_overlaps(predictions: Predictions, truth: Truth, protocol: Protocol) -> Overlaps | None:
    """Give the overlaps of the boxes for the true classes, if there are any."""
    known, swept = predictions.known, predictions.swept(ROWS)
    if known is None or truth.boxes is None or (swept is None and predictions.about.cuts):
        return None
    sizes = predictions.sizes
    true = framed_truth(truth.boxes, sizes, protocol)
    own = best_iou(
        protocol.frame_of().found(known[:, None], sizes), true, inclusive=protocol.inclusive
    )[:, 0]
    main = torch.zeros(len(own), len(predictions.about.cuts), dtype=torch.double)
    best = main if predictions.one_box_a_cut else torch.zeros_like(main)
    for each in swept or ():
        _sweep(each, true, sizes, protocol, into=(main, best))
    return Overlaps(own, main, best, list(predictions.about.cuts))


def _sweep(
    swept: SweptBoxes,
    true: PaddedBoxes,
    sizes: Tensor,
    protocol: Protocol,
    *,
    into: tuple[Tensor, Tensor],
) -> None:
    """Write the overlap of the main and of the best box of some images at each cut into (N, T)."""
    main, best = into
    first, last = int(swept.rows[0]), int(swept.rows[-1])
    found = protocol.frame_of().found(swept.boxes[:, None], sizes[swept.rows])[:, 0]
    highest = torch.zeros(len(found), dtype=torch.double)
    for column in range(int(true.present[first : last + 1].sum(1).max())):
        there = true.present[swept.rows, column]
        overlaps = iou(
            found[there], true.xyxy[swept.rows[there], column], inclusive=protocol.inclusive
        )
        highest[there] = torch.maximum(highest[there], overlaps)
    place = swept.rows * main.shape[1] + swept.cuts
    is_main = torch.ones_like(place, dtype=torch.bool)
    is_main[1:] = place[1:] != place[:-1]
    main.view(-1)[place[is_main]] = highest[is_main]
    if best is not main:
        best.view(-1).scatter_reduce_(0, place, highest, "amax")
