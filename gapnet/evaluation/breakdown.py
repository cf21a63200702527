"""Kinds of localization errors, as in TS-CAM (Gao et al., ICCV 2021)."""

import torch
from torch import Tensor

from gapnet.evaluation.overlaps import framed_truth
from gapnet.evaluation.predictions import Predictions
from gapnet.evaluation.protocols import Protocol
from gapnet.metrics.functional import PaddedBoxes
from gapnet.ops.boxes import area, intersection

SEVERAL = 0.3  # least share of two objects that a box covers to contain several
PART = 0.5  # share of the box that is on an object: it shows a part
MORE = 0.7  # share of an object that is in the box: it shows more than the object
KINDS = ("wrong_class", "several", "part", "more", "elsewhere")


def break_down(
    predictions: Predictions,
    labels: Tensor,
    boxes: PaddedBoxes,
    protocol: Protocol,
    *,
    right: Tensor,
) -> dict[str, Tensor]:
    """Return which first guesses are errors, (N,), by kind; every error has one kind.

    Args:
        predictions: of N images.
        labels: (N,).
        boxes: the true boxes.
        protocol: of the frame in which overlaps are computed.
        right: whether the first guess's box is right, (N,).
    """
    guesses, sizes, inclusive = predictions.guesses, predictions.sizes, protocol.inclusive
    predicted = protocol.frame_of().predicted_boxes(guesses.boxes[:, :1], sizes)
    true = framed_truth(boxes, sizes, protocol)
    common = intersection(predicted, true.xyxy, inclusive=inclusive).where(true.present, 0)
    of_object = common / area(true.xyxy, inclusive=inclusive).clamp(min=1)
    of_box = common / area(predicted, inclusive=inclusive).clamp(min=1)
    kinds = {
        "wrong_class": guesses.labels[:, 0] != labels,
        "several": (of_object > SEVERAL).sum(1) > 1,
        "part": (of_box > PART).any(1),
        "more": (of_object > MORE).any(1),
        "elsewhere": torch.ones_like(right),
    }
    remaining = ~(right & ~kinds["wrong_class"])
    errors = {}
    for name in KINDS:
        errors[name] = remaining & kinds[name]
        remaining = remaining & ~kinds[name]
    return errors
