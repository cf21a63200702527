"""Score: a pure function of predictions and ground truth."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gapnet.data.records import Records
from gapnet.errors import GapnetError
from gapnet.evaluation.bootstrap import interval
from gapnet.evaluation.protocols import Protocol
from gapnet.evaluation.store import Overlaps, Predictions
from gapnet.metrics.functional import (
    PaddedBoxes,
    best_iou,
    label_hits,
    localization_hits,
    pad_boxes,
)
from gapnet.ops.boxes import centred

CENTRED_SHARES = [index / 50 for index in range(5, 51)]  # sides of the centred boxes that are tried
TOP = (1, 5)


@dataclass(frozen=True)
class Truth:
    """Hold the ground truth: ids, labels (N,), and boxes, unless some image has none."""

    ids: list[str]
    labels: Tensor
    boxes: PaddedBoxes | None


@dataclass(frozen=True)
class Figure:
    """Name a figure in full: an error rate over n images, its 95% interval from low to high.

    `threshold` is the cut of the map, `chosen_on` says who chose it, and `rules` are those of the
    localizer and the protocol in full.
    """

    metric: str
    value: float
    n: int
    low: float
    high: float
    threshold: float | None
    chosen_on: str | None
    protocol: str
    data: str
    split: str
    rules: str


def truth_of(records: Records) -> Truth:
    """Gather the ground truth of records."""
    boxes = records.boxes
    padded = None if boxes is None else pad_boxes(boxes.xyxy, boxes.counts)
    return Truth(records.ids, records.labels, padded)


def align(predictions: Predictions, truth: Truth) -> Predictions:
    """Put predictions into the order of the truth; an image without a prediction is an error."""
    rows = {each: row for row, each in enumerate(predictions.ids)}
    missing = [each for each in truth.ids if each not in rows]
    if missing:
        raise GapnetError(
            f"{len(missing)} of {len(truth.ids)} images have no prediction, "
            f"the first of them {missing[0]}"
        )
    order = torch.tensor([rows[each] for each in truth.ids])
    overlaps = predictions.overlaps
    return replace(
        predictions,
        ids=truth.ids,
        sizes=predictions.sizes[order],
        classes=predictions.classes[order],
        guess_labels=predictions.guess_labels[order],
        guess_boxes=predictions.guess_boxes[order],
        overlaps=overlaps
        and overlaps._replace(own=overlaps.own[order], swept=overlaps.swept[order]),
    )


def sweep_errors(overlaps: Overlaps, protocol: Protocol) -> Tensor:
    """Give the ground-truth-known error at each cut, (T,)."""
    return 1 - (overlaps.swept >= protocol.iou).double().mean(0)


def choose_cut(overlaps: Overlaps, protocol: Protocol) -> float:
    """Choose the cut with the lowest ground-truth-known error; of several, the lowest cut."""
    return overlaps.cuts[int((overlaps.swept >= protocol.iou).sum(0).argmax())]


def score(
    predictions: Predictions,
    truth: Truth,
    protocol: Protocol,
    *,
    data: str,
    split: str,
    frozen: tuple[float, str] | None,
) -> list[Figure]:
    """Compute every figure that predictions and truth allow.

    Args:
        predictions: aligned with the truth.
        truth: of the split.
        protocol: the rules.
        data: title of the data set.
        split: name of the split that is scored.
        frozen: a cut chosen on another split, and that split's name.
    """
    verdicts = _classification(predictions, truth)
    if truth.boxes is not None and predictions.overlaps is not None:
        verdicts += _localization(predictions, truth.labels, truth.boxes, protocol)
        verdicts += _gt_known(predictions.overlaps, predictions.about.cut, protocol, split, frozen)
        verdicts += _anchors(predictions.sizes, truth.boxes, protocol, split)
    return [_figure(each, protocol, data, split, predictions.about.rules) for each in verdicts]


@dataclass(frozen=True)
class _Verdict:
    metric: str
    hits: Tensor
    threshold: float | None = None
    chosen_on: str | None = None


def _figure(verdict: _Verdict, protocol: Protocol, data: str, split: str, rules: str) -> Figure:
    wrong = (~verdict.hits).double()
    low, high = interval(wrong, resamples=protocol.resamples, seed=protocol.seed)
    return Figure(
        metric=verdict.metric,
        value=wrong.mean().item(),
        n=len(wrong),
        low=low,
        high=high,
        threshold=verdict.threshold,
        chosen_on=verdict.chosen_on,
        protocol=protocol.name,
        data=data,
        split=split,
        rules=rules,
    )


def _classification(predictions: Predictions, truth: Truth) -> list[_Verdict]:
    return [
        _Verdict(f"top{k}_error", label_hits(predictions.classes, truth.labels, within=k))
        for k in TOP
        if k < predictions.about.num_classes
    ]


def _localization(
    predictions: Predictions, labels: Tensor, boxes: PaddedBoxes, protocol: Protocol
) -> list[_Verdict]:
    guessed, about = predictions.guess_labels, predictions.about
    overlaps = best_iou(predictions.guess_boxes, boxes, inclusive=protocol.inclusive)
    return [
        _Verdict(
            f"top{k}_localization_error",
            localization_hits(guessed, overlaps, labels, within=k, threshold=protocol.iou),
            about.cut,
            "fixed",
        )
        for k in TOP
        if k < about.num_classes
    ]


def _gt_known(
    overlaps: Overlaps, cut: float, protocol: Protocol, split: str, frozen: tuple[float, str] | None
) -> list[_Verdict]:
    """Judge at the fixed cut, at one frozen elsewhere, and at the best for this very split."""
    name = "gt_known_error"
    chosen = [] if frozen is None else [frozen]
    chosen.append((choose_cut(overlaps, protocol), f"{split} (oracle)"))
    hits = overlaps.swept >= protocol.iou
    return [
        _Verdict(name, overlaps.own >= protocol.iou, cut, "fixed"),
        *(_Verdict(name, hits[:, overlaps.cuts.index(at)], at, by) for at, by in chosen),
    ]


def _anchors(sizes: Tensor, boxes: PaddedBoxes, protocol: Protocol, split: str) -> list[_Verdict]:
    boxed = (centred(sizes.double(), share)[:, None] for share in CENTRED_SHARES)
    overlaps = [best_iou(each, boxes, inclusive=protocol.inclusive)[:, 0] for each in boxed]
    hits = torch.stack(overlaps, 1) >= protocol.iou
    best = int(hits.sum(0).argmax())
    chosen_on = f"{split} (oracle, side {CENTRED_SHARES[best]:.2f})"
    return [
        _Verdict("whole_image_gt_known_error", hits[:, -1]),
        _Verdict("centred_box_gt_known_error", hits[:, best], None, chosen_on),
    ]
