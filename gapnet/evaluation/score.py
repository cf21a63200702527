"""Computes metrics from predictions and ground truth."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from gapnet.errors import GapnetError
from gapnet.evaluation.bootstrap import bounds, intervals, resampled_sums
from gapnet.evaluation.ground_truth import SplitTruth
from gapnet.evaluation.label_ranking import class_precisions
from gapnet.evaluation.overlaps import Overlaps, known_overlaps
from gapnet.evaluation.pixels import average_precision
from gapnet.evaluation.predictions import Predictions
from gapnet.evaluation.protocols import Protocol
from gapnet.evaluation.verdicts import (
    Frozen,
    Verdict,
    baselines,
    classification,
    counted_images,
    known,
    localization,
    max_box,
)


@dataclass(frozen=True)
class Metric:
    """A metric over n images, such as an error rate, with its 95% interval from low to high.

    `threshold` is the cut of the map, `chosen_on` says on which split it was chosen, and `rules`
    are those of the localizer and the protocol in full.
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


@dataclass(frozen=True)
class ProtocolScores:
    """Metrics of one protocol, the verdicts of which most are means, and overlaps by split.

    `swept` are the overlaps of the boxes of the true classes.
    """

    metrics: list[Metric]
    verdicts: list[Verdict]
    swept: dict[str, Overlaps]


@dataclass(frozen=True)
class Scoring:
    """Predictions to score, aligned with the truth, of a split of some data.

    `chosen_on` has predictions, truth and name of another split, on which thresholds are chosen.
    """

    predictions: Predictions
    truth: SplitTruth
    data: str
    split: str
    chosen_on: tuple[Predictions, SplitTruth, str] | None = None


def score_predictions(scoring: Scoring, protocol: Protocol) -> ProtocolScores:
    """Return all metrics that can be computed from predictions and truth."""
    with _one_thread():
        return _score(scoring, protocol)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Use one thread inside the block: several are slower for steps this small on busy cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _score(scoring: Scoring, protocol: Protocol) -> ProtocolScores:
    predictions, truth = scoring.predictions, scoring.truth
    verdicts: list[Verdict] = []
    swept: dict[str, Overlaps] = {}
    if predictions.classes.shape[1]:
        verdicts += classification(predictions, truth, protocol)
    if truth.boxes is not None:
        located, swept = _localize(scoring, protocol)
        verdicts += [verdict.over(truth.boxed) for verdict in located]
    metrics = _metrics(verdicts, scoring, protocol)
    precisions = class_precisions(predictions, truth)
    if precisions is not None:
        metrics.append(_ranking_metric(torch.from_numpy(precisions), scoring, protocol))
    if truth.masked and predictions.pixels is not None:
        metrics.append(_pixel_metric(predictions.pixels, scoring, protocol))
    return ProtocolScores(metrics, verdicts, swept)


def _localize(scoring: Scoring, protocol: Protocol) -> tuple[list[Verdict], dict[str, Overlaps]]:
    """Return the verdicts on boxes over the images that have true ones, and overlaps by split."""
    truth, split = scoring.truth.with_boxes, scoring.split
    predictions = _with_boxes(scoring.predictions, scoring.truth)
    assert truth.boxes is not None
    verdicts: list[Verdict] = []
    swept: dict[str, Overlaps] = {}
    if predictions.guesses.labels.shape[1]:
        verdicts += localization(predictions, truth, truth.boxes, protocol)
    overlaps, frozen = known_overlaps(predictions, truth, protocol), _frozen(scoring, protocol)
    if overlaps is not None:
        swept[split] = overlaps
        verdicts += known(predictions, overlaps, truth, protocol, split=split, frozen=frozen)
        if protocol.known_ious and overlaps.cuts:
            verdicts += max_box(predictions, overlaps, truth, protocol, split=split, frozen=frozen)
    swept |= {} if frozen is None else {frozen.split: frozen.overlaps}
    return [*verdicts, *baselines(predictions, truth, truth.boxes, protocol, split=split)], swept


def _with_boxes(predictions: Predictions, truth: SplitTruth) -> Predictions:
    """Return the predictions of the images that have true boxes."""
    if truth.boxed is None:
        return predictions
    return predictions.take(truth.boxed.nonzero().flatten().tolist())


def _frozen(scoring: Scoring, protocol: Protocol) -> Frozen | None:
    """Return the overlaps of the split on which thresholds are chosen."""
    if scoring.chosen_on is None:
        return None
    predictions, truth, split = scoring.chosen_on
    differences = predictions.about.differences(scoring.predictions.about)
    differing = [name for name in differences if name not in {"split", "data"}]
    if differing:
        raise GapnetError(
            f"predictions of {split} and {scoring.split}: differ in {', '.join(differing)}; "
            f"a threshold of {split} is not valid for {scoring.split}; predict both again"
        )
    predictions, truth = _with_boxes(predictions, truth), truth.with_boxes
    overlaps = known_overlaps(predictions, truth, protocol)
    return None if overlaps is None else Frozen(overlaps, counted_images(truth, protocol), split)


def _metrics(verdicts: Sequence[Verdict], scoring: Scoring, protocol: Protocol) -> list[Metric]:
    """Return means and intervals; verdicts over the same images are resampled together."""
    metrics: dict[int, Metric] = {}
    indices = list(range(len(verdicts)))
    while indices:
        rows = verdicts[indices[0]].rows
        same = [index for index in indices if torch.equal(verdicts[index].rows, rows)]
        values = torch.stack([verdicts[index].values[rows] for index in same], 1)
        low, high = intervals(values, resamples=protocol.resamples, seed=protocol.seed)
        for column, index in enumerate(same):
            interval = (low[column].item(), high[column].item())
            mean = values[:, column].mean().item()
            metrics[index] = _metric(verdicts[index], mean, interval, scoring, protocol)
        indices = [index for index in indices if index not in metrics]
    return [metrics[index] for index in range(len(verdicts))]


def _metric(
    verdict: Verdict,
    value: float,
    interval: tuple[float, float],
    scoring: Scoring,
    protocol: Protocol,
) -> Metric:
    return Metric(
        metric=verdict.metric,
        value=value,
        n=int(verdict.rows.sum()),
        low=interval[0],
        high=interval[1],
        threshold=verdict.threshold,
        chosen_on=verdict.chosen_on,
        protocol=protocol.name,
        data=scoring.data,
        split=scoring.split,
        rules=f"{scoring.predictions.about.rules} {protocol}",
    )


def _ranking_metric(precisions: Tensor, scoring: Scoring, protocol: Protocol) -> Metric:
    """Return the mean average precision (K,) of classes, with an interval over classes."""
    low, high = intervals(precisions[:, None], resamples=protocol.resamples, seed=protocol.seed)
    all_rows = torch.ones(len(scoring.truth.ids), dtype=torch.bool)
    verdict = Verdict("mean_average_precision", precisions, all_rows)
    interval = (low.item(), high.item())
    return _metric(verdict, precisions.mean().item(), interval, scoring, protocol)


def _pixel_metric(pixels: Tensor, scoring: Scoring, protocol: Protocol) -> Metric:
    """Return the pixel average precision of all images together."""
    count = len(pixels)
    sums = resampled_sums(pixels.flatten(1), resamples=protocol.resamples, seed=protocol.seed)
    low, high = bounds(average_precision(sums.view(-1, *pixels.shape[1:]))[:, None])
    all_rows = torch.ones(count, dtype=torch.bool)
    verdict = Verdict("px_ap", torch.zeros(count), all_rows)
    value = average_precision(pixels.double().sum(0)[None]).item()
    return _metric(verdict, value, (low.item(), high.item()), scoring, protocol)
