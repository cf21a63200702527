"""A verdict for each image under each figure, before they are summed."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from gapnet.evaluation.breakdown import break_down
from gapnet.evaluation.ground_truth import Truth
from gapnet.evaluation.overlaps import Overlaps, framed_truth, guess_overlaps
from gapnet.evaluation.predictions import Predictions
from gapnet.evaluation.protocols import Protocol
from gapnet.metrics.functional import PaddedBoxes, best_iou, label_hits, localization_hits
from gapnet.ops.boxes import centred

CENTRED_SHARES = [index / 50 for index in range(5, 51)]  # sides of the centred boxes that are tried


@dataclass(frozen=True)
class Verdict:
    """Hold the value of each image (N,), of which a figure is the mean over the rows that count.

    `threshold` is the cut of the map, and `chosen_on` says who chose it.
    """

    metric: str
    values: Tensor
    rows: Tensor
    threshold: float | None = None
    chosen_on: str | None = None


class Frozen(NamedTuple):
    """Hold the overlaps of another split, on whose rows (M,) a cut may be chosen, and its name."""

    overlaps: Overlaps
    rows: Tensor
    split: str


def best_cut(hits: Tensor) -> int:
    """Choose the cut with the most hits (N, T); of several, the lowest."""
    return int(hits.sum(0).argmax())


def classification(predictions: Predictions, truth: Truth, protocol: Protocol) -> list[Verdict]:
    """Judge the labels, where there are more classes than labels."""
    every = torch.ones_like(truth.blacklisted)
    ranked = predictions.classes
    return [
        Verdict(f"top{k}_error", _wrong(label_hits(ranked, truth.labels, within=k)), every)
        for k in protocol.within
        if k < len(predictions.about.classes)
    ]


def localization(
    predictions: Predictions, truth: Truth, boxes: PaddedBoxes, protocol: Protocol
) -> list[Verdict]:
    """Judge the guesses, and say what is wrong with the first one."""
    about, labels = predictions.about, predictions.guesses.labels
    fixed = _fixed(predictions)
    overlaps = guess_overlaps(predictions, boxes, protocol)
    right = protocol.right(overlaps) & _readable(predictions)[:, None]
    rows = counted(truth, protocol)
    errors = [
        Verdict(
            f"top{k}_localization_error",
            _wrong(localization_hits(labels, right, truth.labels, within=k)),
            rows,
            *fixed,
        )
        for k in protocol.within
        if k < len(about.classes)
    ]
    shares = break_down(predictions, truth.labels, boxes, protocol, right=right[:, 0])
    kinds = [
        Verdict(f"top1_localization_error/{name}", each.double(), rows, *fixed)
        for name, each in shares.items()
    ]
    return [*errors[:1], *kinds, *errors[1:]] if 1 in protocol.within else errors


def known(
    predictions: Predictions,
    overlaps: Overlaps,
    truth: Truth,
    protocol: Protocol,
    *,
    split: str,
    frozen: Frozen | None,
) -> list[Verdict]:
    """Judge the box of the true class: at the fixed cut, a frozen one, and this split's best."""
    name, rows, readable = "gt_known_error", counted(truth, protocol), _readable(predictions)
    own = protocol.right_known(overlaps.own) & readable
    found = [Verdict(name, _wrong(own), rows, *_fixed(predictions))]
    if not overlaps.cuts:
        return found
    hits = protocol.right_known(overlaps.main) & readable[:, None]
    chosen = [(best_cut(hits[rows]), f"{split} (oracle)")]
    if frozen is not None:
        elsewhere = protocol.right_known(frozen.overlaps.main[frozen.rows])
        chosen.insert(0, (best_cut(elsewhere), frozen.split))
    for cut, by in chosen:
        found.append(Verdict(name, _wrong(hits[:, cut]), rows, overlaps.cuts[cut], by))
    return found


def max_box(
    predictions: Predictions,
    overlaps: Overlaps,
    truth: Truth,
    protocol: Protocol,
    *,
    split: str,
    frozen: Frozen | None,
) -> list[Verdict]:
    """Judge as MaxBoxAcc and MaxBoxAccV2 do, and with cuts that were chosen elsewhere."""
    rows, readable = counted(truth, protocol), _readable(predictions)
    chosen = [(overlaps, f"{split} (oracle)", rows)]
    if frozen is not None:
        chosen.insert(0, (frozen.overlaps, frozen.split, frozen.rows))
    found = []
    for other, by, counting in chosen:
        cut = best_cut(protocol.right_known(other.main[counting]))
        hits = protocol.right_known(overlaps.main[:, cut]) & readable
        found.append(Verdict("max_box_acc", hits.double(), rows, overlaps.cuts[cut], by))
        cuts = [best_cut(other.any[counting] >= iou) for iou in protocol.known_ious]
        pairs = zip(cuts, protocol.known_ious, strict=True)
        each = torch.stack([(overlaps.any[:, cut] >= iou) & readable for cut, iou in pairs], 1)
        found.append(Verdict("max_box_acc_v2", each.double().mean(1), rows, None, by))
    return found


def anchors(
    predictions: Predictions, truth: Truth, boxes: PaddedBoxes, protocol: Protocol, *, split: str
) -> list[Verdict]:
    """Judge the whole image, and the centred box of the best size."""
    sizes, rows = predictions.sizes, counted(truth, protocol)
    true = framed_truth(boxes, sizes, protocol)
    tried = (centred(sizes, share)[:, None] for share in CENTRED_SHARES)
    found = (protocol.frame_of().found(each, sizes) for each in tried)
    overlaps = [best_iou(each, true, inclusive=protocol.inclusive)[:, 0] for each in found]
    hits = protocol.right_known(torch.stack(overlaps, 1)) & _readable(predictions)[:, None]
    best = best_cut(hits[rows])
    chosen_on = f"{split} (oracle, side {CENTRED_SHARES[best]:.2f})"
    return [
        Verdict("whole_image_gt_known_error", _wrong(hits[:, -1]), rows),
        Verdict("centred_box_gt_known_error", _wrong(hits[:, best]), rows, None, chosen_on),
    ]


def counted(truth: Truth, protocol: Protocol) -> Tensor:
    """Tell which images count in localization, (N,)."""
    return ~truth.blacklisted if protocol.blacklist else torch.ones_like(truth.blacklisted)


def _fixed(predictions: Predictions) -> tuple[float | None, str | None]:
    """Give the boxer's own threshold, and who chose it."""
    cut = predictions.about.cut
    return cut, None if cut is None else "fixed"


def _readable(predictions: Predictions) -> Tensor:
    """Tell which images could be read; the others are wrong, whatever is said of them."""
    return predictions.sizes[:, 0] > 0


def _wrong(hits: Tensor) -> Tensor:
    return (~hits).double()
