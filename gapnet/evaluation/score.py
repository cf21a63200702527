"""Score: a pure function of predictions and ground truth."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gapnet.data.sample import Record
from gapnet.errors import GapnetError
from gapnet.evaluation.bootstrap import interval
from gapnet.evaluation.protocols import Protocol
from gapnet.evaluation.store import Predictions
from gapnet.metrics.functional import best_iou, label_hits, localization_hits, pad_boxes
from gapnet.ops.boxes import centred

CENTRED_SHARES = [index / 50 for index in range(5, 51)]  # sides of the centred boxes that are tried
TOP = (1, 5)


@dataclass(frozen=True)
class Truth:
    """Hold the ground truth: labels (N,), and boxes (N, M, 4) where present (N, M); None where nobody drew boxes."""

    ids: list[str]
    labels: Tensor
    boxes: Tensor | None
    present: Tensor | None


@dataclass(frozen=True)
class Figure:
    """Name a figure in full: an error rate from 0 to 1, over n images, between low and high with 95% confidence.

    `threshold` is the cut of the map, and `chosen_on` says who chose it.
    """

    metric: str
    value: float
    n: int
    low: float
    high: float
    threshold: float | None
    chosen_on: str | None
    protocol: str


def truth_of(records: Sequence[Record]) -> Truth:
    """Gather the ground truth of records."""
    boxes = [record.boxes for record in records if record.boxes is not None]
    padded, present = pad_boxes(boxes) if len(boxes) == len(records) else (None, None)
    labels = torch.tensor([record.label for record in records])
    return Truth([record.id for record in records], labels, padded, present)


def align(predictions: Predictions, truth: Truth) -> Predictions:
    """Put predictions into the order of the truth; an image without a prediction is an error."""
    rows = {each: row for row, each in enumerate(predictions.ids)}
    missing = [each for each in truth.ids if each not in rows]
    if missing:
        raise GapnetError(
            f"{len(missing)} of {len(truth.ids)} images have no prediction, the first of them {missing[0]}"
        )
    order = torch.tensor([rows[each] for each in truth.ids])
    return Predictions(
        ids=truth.ids,
        sizes=predictions.sizes[order],
        classes=predictions.classes[order],
        guess_labels=predictions.guess_labels[order],
        guess_boxes=predictions.guess_boxes[order],
        truth_iou=None if predictions.truth_iou is None else predictions.truth_iou[order],
        truth_ious=None if predictions.truth_ious is None else predictions.truth_ious[order],
        about=predictions.about,
    )


def sweep_errors(predictions: Predictions, protocol: Protocol) -> Tensor:
    """Give the ground-truth-known error at each cut, (T,)."""
    return 1 - _sweep_hits(predictions, protocol).double().mean(0)


def choose_cut(predictions: Predictions, protocol: Protocol) -> float:
    """Choose the cut with the lowest ground-truth-known error; of several, the lowest cut."""
    return predictions.about.cuts[int(_sweep_hits(predictions, protocol).sum(0).argmax())]


def score(
    predictions: Predictions,
    truth: Truth,
    protocol: Protocol,
    *,
    split: str,
    frozen: tuple[float, str] | None,
) -> list[Figure]:
    """Compute every figure that predictions and truth allow.

    Args:
        predictions: aligned with the truth.
        truth: of the split.
        protocol: the rules.
        split: name of the split that is scored.
        frozen: a cut chosen on another split, and that split's name.
    """
    verdicts = _classification(predictions, truth)
    if truth.boxes is not None and truth.present is not None:
        verdicts += _localization(predictions, truth, protocol)
        verdicts += _gt_known(predictions, protocol, split, frozen)
        verdicts += _anchors(predictions, truth.boxes, truth.present, protocol, split)
    return [_figure(verdict, protocol) for verdict in verdicts]


@dataclass(frozen=True)
class _Verdict:
    metric: str
    hits: Tensor
    threshold: float | None = None
    chosen_on: str | None = None


def _figure(verdict: _Verdict, protocol: Protocol) -> Figure:
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
    )


def _classification(predictions: Predictions, truth: Truth) -> list[_Verdict]:
    return [
        _Verdict(f"top{k}_error", label_hits(predictions.classes, truth.labels, within=k))
        for k in TOP
        if k < predictions.about.num_classes
    ]


def _localization(predictions: Predictions, truth: Truth, protocol: Protocol) -> list[_Verdict]:
    overlaps = best_iou(
        predictions.guess_boxes, truth.boxes, truth.present, inclusive=protocol.inclusive
    )
    return [
        _Verdict(
            f"top{k}_localization_error",
            localization_hits(
                predictions.guess_labels, overlaps, truth.labels, within=k, threshold=protocol.iou
            ),
            predictions.about.cut,
            "fixed",
        )
        for k in TOP
        if k < predictions.about.num_classes
    ]


def _gt_known(
    predictions: Predictions, protocol: Protocol, split: str, frozen: tuple[float, str] | None
) -> list[_Verdict]:
    name = "gt_known_error"
    verdicts = [
        _Verdict(name, predictions.truth_iou >= protocol.iou, predictions.about.cut, "fixed")
    ]
    hits = _sweep_hits(predictions, protocol)
    if frozen is not None:
        cut, chosen_on = frozen
        verdicts.append(_Verdict(name, hits[:, predictions.about.cuts.index(cut)], cut, chosen_on))
    cut = choose_cut(predictions, protocol)
    verdicts.append(
        _Verdict(name, hits[:, predictions.about.cuts.index(cut)], cut, f"{split} (oracle)")
    )
    return verdicts


def _anchors(
    predictions: Predictions, boxes: Tensor, present: Tensor, protocol: Protocol, split: str
) -> list[_Verdict]:
    tried = torch.stack([centred(predictions.sizes.double(), share) for share in CENTRED_SHARES], 1)
    hits = best_iou(tried, boxes.double(), present, inclusive=protocol.inclusive) >= protocol.iou
    best = int(hits.sum(0).argmax())
    return [
        _Verdict("whole_image_gt_known_error", hits[:, -1]),
        _Verdict(
            "centred_box_gt_known_error",
            hits[:, best],
            None,
            f"{split} (oracle, side {CENTRED_SHARES[best]:.2f})",
        ),
    ]


def _sweep_hits(predictions: Predictions, protocol: Protocol) -> Tensor:
    if predictions.truth_ious is None:
        raise GapnetError(
            "the predictions hold no overlaps with true boxes; predict a split that has boxes"
        )
    return predictions.truth_ious >= protocol.iou
