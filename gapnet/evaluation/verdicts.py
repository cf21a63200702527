"""Verdicts: the values of a metric per image, before they are averaged."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from gapnet.evaluation.breakdown import break_down
from gapnet.evaluation.ground_truth import SplitTruth
from gapnet.evaluation.overlaps import Overlaps, framed_truth, guess_overlaps
from gapnet.evaluation.predictions import Predictions
from gapnet.evaluation.protocols import Protocol
from gapnet.metrics.functional import PaddedBoxes, best_iou, label_hits, localization_hits
from gapnet.ops.boxes import centred

CENTRED_SHARES = [index / 50 for index in range(5, 51)]  # sides of the centred boxes to try


@dataclass(frozen=True)
class Verdict:
    """Values per image (N,); the metric is their mean over the rows that count.

    `threshold` is the cut of the map, and `chosen_on` says on which split it was chosen.
    """

    metric: str
    values: Tensor
    rows: Tensor
    threshold: float | None = None
    chosen_on: str | None = None

    def over(self, boxed: Tensor | None) -> "Verdict":
        """Return the verdict on all images (N,), of which those with boxes are in this one."""
        if boxed is None:
            return self
        values, rows = self.values.new_zeros(len(boxed)), torch.zeros_like(boxed)
        values[boxed], rows[boxed] = self.values, self.rows
        return replace(self, values=values, rows=rows)


class Frozen(NamedTuple):
    """Overlaps of the split on which a cut is chosen, the rows (M,) that count, and its name."""

    overlaps: Overlaps
    rows: Tensor
    split: str


def best_cut(hits: Tensor) -> int:
    """Return the index of the cut with the most hits (N, T); of several, the lowest."""
    return int(hits.sum(0).argmax())


def classification(
    predictions: Predictions, truth: SplitTruth, protocol: Protocol
) -> list[Verdict]:
    """Return the verdicts on labels, for every k below the number of classes."""
    all_rows = torch.ones_like(truth.blacklisted)
    ranked = predictions.classes
    return [
        Verdict(f"top{k}_error", _wrong(label_hits(ranked, truth.labels, within=k)), all_rows)
        for k in protocol.within
        if k < len(predictions.about.classes)
    ]


def localization(
    predictions: Predictions, truth: SplitTruth, boxes: PaddedBoxes, protocol: Protocol
) -> list[Verdict]:
    """Return the verdicts on guesses, and on the kind of error of the first guess."""
    about, labels = predictions.about, predictions.guesses.labels
    fixed = _fixed(predictions)
    overlaps = guess_overlaps(predictions, boxes, protocol)
    right = protocol.right(overlaps) & _readable(predictions)[:, None]
    rows = counted_images(truth, protocol)
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
        Verdict(f"top1_localization_error/{name}", kind.double(), rows, *fixed)
        for name, kind in shares.items()
    ]
    return [*errors[:1], *kinds, *errors[1:]] if 1 in protocol.within else errors


def known(
    predictions: Predictions,
    overlaps: Overlaps,
    truth: SplitTruth,
    protocol: Protocol,
    *,
    split: str,
    frozen: Frozen | None,
) -> list[Verdict]:
    """Return verdicts on the true class's box: at the fixed, the frozen and the oracle cut."""
    name, rows, readable = "gt_known_error", counted_images(truth, protocol), _readable(predictions)
    own = protocol.right_known(overlaps.own) & readable
    verdicts = [Verdict(name, _wrong(own), rows, *_fixed(predictions))]
    if not overlaps.cuts:
        return verdicts
    hits = protocol.right_known(overlaps.main) & readable[:, None]
    chosen = [(best_cut(hits[rows]), f"{split} (oracle)")]
    if frozen is not None:
        frozen_hits = protocol.right_known(frozen.overlaps.main[frozen.rows])
        chosen.insert(0, (best_cut(frozen_hits), frozen.split))
    for cut, by in chosen:
        verdicts.append(Verdict(name, _wrong(hits[:, cut]), rows, overlaps.cuts[cut], by))
    return verdicts


def max_box(
    predictions: Predictions,
    overlaps: Overlaps,
    truth: SplitTruth,
    protocol: Protocol,
    *,
    split: str,
    frozen: Frozen | None,
) -> list[Verdict]:
    """Return the verdicts of MaxBoxAcc and MaxBoxAccV2, also with cuts chosen on another split."""
    rows, readable = counted_images(truth, protocol), _readable(predictions)
    chosen = [(overlaps, f"{split} (oracle)", rows)]
    if frozen is not None:
        chosen.insert(0, (frozen.overlaps, frozen.split, frozen.rows))
    verdicts = []
    for other, by, other_rows in chosen:
        cut = best_cut(protocol.right_known(other.main[other_rows]))
        hits = protocol.right_known(overlaps.main[:, cut]) & readable
        verdicts.append(Verdict("max_box_acc", hits.double(), rows, overlaps.cuts[cut], by))
        cuts = [best_cut(other.any[other_rows] >= iou) for iou in protocol.known_ious]
        pairs = zip(cuts, protocol.known_ious, strict=True)
        iou_hits = torch.stack([(overlaps.any[:, cut] >= iou) & readable for cut, iou in pairs], 1)
        verdicts.append(Verdict("max_box_acc_v2", iou_hits.double().mean(1), rows, None, by))
    return verdicts


def baselines(
    predictions: Predictions,
    truth: SplitTruth,
    boxes: PaddedBoxes,
    protocol: Protocol,
    *,
    split: str,
) -> list[Verdict]:
    """Return the verdicts on the whole image as the box, and on the best centred box."""
    sizes, rows = predictions.sizes, counted_images(truth, protocol)
    true = framed_truth(boxes, sizes, protocol)
    candidates = (centred(sizes, share)[:, None] for share in CENTRED_SHARES)
    boxes_tried = (protocol.frame_of().predicted_boxes(box, sizes) for box in candidates)
    overlaps = [best_iou(box, true, inclusive=protocol.inclusive)[:, 0] for box in boxes_tried]
    hits = protocol.right_known(torch.stack(overlaps, 1)) & _readable(predictions)[:, None]
    best = best_cut(hits[rows])
    chosen_on = f"{split} (oracle, side {CENTRED_SHARES[best]:.2f})"
    return [
        Verdict("whole_image_gt_known_error", _wrong(hits[:, -1]), rows),
        Verdict("centred_box_gt_known_error", _wrong(hits[:, best]), rows, None, chosen_on),
    ]


def counted_images(truth: SplitTruth, protocol: Protocol) -> Tensor:
    """Return which images count in localization, (N,)."""
    return ~truth.blacklisted if protocol.blacklist else torch.ones_like(truth.blacklisted)


def _fixed(predictions: Predictions) -> tuple[float | None, str | None]:
    """Return the threshold of the boxer, and how it was chosen."""
    cut = predictions.about.cut
    return cut, None if cut is None else "fixed"


def _readable(predictions: Predictions) -> Tensor:
    """Return which images could be read; the others count as wrong."""
    return predictions.sizes[:, 0] > 0


def _wrong(hits: Tensor) -> Tensor:
    return (~hits).double()
