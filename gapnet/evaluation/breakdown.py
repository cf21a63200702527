"""What is wrong with a box, after the kinds that TS-CAM (Gao et al., ICCV 2021) tells apart."""

import torch
from torch import Tensor

from gapnet.evaluation.overlaps import framed_truth
from gapnet.evaluation.predictions import Predictions
from gapnet.evaluation.protocols import Protocol
from gapnet.metrics.functional import PaddedBoxes
from gapnet.ops.boxes import area, intersection

SEVERAL = 0.3  # of each of two objects that a box covers: it holds several
PART = 0.5  # of a box that lies on an object: it shows a part
MORE = 0.7  # of an object that lies in a box: it shows more than that
KINDS = ("wrong_class", "several", "part", "more", "elsewhere")


def break_down(
    predictions: Predictions,
    labels: Tensor,
    boxes: PaddedBoxes,
    protocol: Protocol,
    *,
    right: Tensor,
) -> dict[str, Tensor]:
    """Sort the errors of the first guesses into kinds, (N,) each; every error is of one kind.

    Args:
        predictions: of N images.
        labels: (N,).
        boxes: the true ones.
        protocol: says in which frame overlaps are taken.
        right: whether the first guess's box is right, (N,).
    """
    guesses, sizes, inclusive = predictions.guesses, predictions.sizes, protocol.inclusive
    found = protocol.frame_of().found(guesses.boxes[:, :1], sizes)
    true = framed_truth(boxes, sizes, protocol)
    common = intersection(found, true.xyxy, inclusive=inclusive).where(true.present, 0)
    of_object = common / area(true.xyxy, inclusive=inclusive).clamp(min=1)
    of_box = common / area(found, inclusive=inclusive).clamp(min=1)
    kinds = {
        "wrong_class": guesses.labels[:, 0] != labels,
        "several": (of_object > SEVERAL).sum(1) > 1,
        "part": (of_box > PART).any(1),
        "more": (of_object > MORE).any(1),
        "elsewhere": torch.ones_like(right),
    }
    left = ~(right & ~kinds["wrong_class"])
    sorted_out = {}
    for name in KINDS:
        sorted_out[name] = left & kinds[name]
        left = left & ~kinds[name]
    return sorted_out
