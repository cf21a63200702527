"""Score: a pure function of predictions and ground truth."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from gapnet.evaluation.bootstrap import bounds, intervals, resampled_sums
from gapnet.evaluation.overlaps import known_overlaps
from gapnet.evaluation.pixels import average_precision
from gapnet.evaluation.predictions import Predictions
from gapnet.evaluation.protocols import Protocol
from gapnet.evaluation.truth import Truth
from gapnet.evaluation.verdicts import (
    Frozen,
    Verdict,
    anchors,
    classification,
    counted,
    known,
    localization,
    max_box,
)


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


@dataclass(frozen=True)
class Scored:
    """Hold the figures of one protocol, and the verdicts of which most are the means."""

    figures: list[Figure]
    verdicts: list[Verdict]


@dataclass(frozen=True)
class Subject:
    """Hold what is scored: predictions, aligned with the truth, of a split of some data.

    `chosen_on` are predictions and truth of another split, on which thresholds are chosen, and its
    name.
    """

    predictions: Predictions
    truth: Truth
    data: str
    split: str
    chosen_on: tuple[Predictions, Truth, str] | None = None


def score(subject: Subject, protocol: Protocol) -> Scored:
    """Compute every figure that predictions and truth allow."""
    with _one_thread():
        return _score(subject, protocol)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep to one thread: for steps this small, threads on busy cores wait more than they work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _score(subject: Subject, protocol: Protocol) -> Scored:
    predictions, truth, split = subject.predictions, subject.truth, subject.split
    verdicts = classification(predictions, truth, protocol)
    if truth.boxes is not None:
        if len(predictions.guesses.labels[0]):
            verdicts += localization(predictions, truth, truth.boxes, protocol)
        overlaps, frozen = known_overlaps(predictions, truth, protocol), _frozen(subject, protocol)
        if overlaps is not None:
            verdicts += known(predictions, overlaps, truth, protocol, split=split, frozen=frozen)
            if protocol.known_ious:
                verdicts += max_box(overlaps, truth, protocol, split=split, frozen=frozen)
        verdicts += anchors(predictions, truth, truth.boxes, protocol, split=split)
    figures = _figures(verdicts, subject, protocol)
    if truth.masked and predictions.pixels is not None:
        figures.append(_pixel_figure(predictions.pixels, subject, protocol))
    return Scored(figures, verdicts)


def _frozen(subject: Subject, protocol: Protocol) -> Frozen | None:
    """Take the overlaps of the split that chooses."""
    if subject.chosen_on is None:
        return None
    predictions, truth, split = subject.chosen_on
    overlaps = known_overlaps(predictions, truth, protocol)
    return None if overlaps is None else Frozen(overlaps, counted(truth, protocol), split)


def _figures(verdicts: Sequence[Verdict], subject: Subject, protocol: Protocol) -> list[Figure]:
    """Take means and intervals, of all verdicts over the same images in one go."""
    found: dict[int, Figure] = {}
    places = list(range(len(verdicts)))
    while places:
        rows = verdicts[places[0]].rows
        same = [place for place in places if torch.equal(verdicts[place].rows, rows)]
        values = torch.stack([verdicts[place].values[rows] for place in same], 1)
        low, high = intervals(values, resamples=protocol.resamples, seed=protocol.seed)
        for column, place in enumerate(same):
            interval = (low[column].item(), high[column].item())
            mean = values[:, column].mean().item()
            found[place] = _figure(verdicts[place], mean, interval, subject, protocol)
        places = [place for place in places if place not in found]
    return [found[place] for place in range(len(verdicts))]


def _figure(
    verdict: Verdict,
    value: float,
    interval: tuple[float, float],
    subject: Subject,
    protocol: Protocol,
) -> Figure:
    return Figure(
        metric=verdict.metric,
        value=value,
        n=int(verdict.rows.sum()),
        low=interval[0],
        high=interval[1],
        threshold=verdict.threshold,
        chosen_on=verdict.chosen_on,
        protocol=protocol.name,
        data=subject.data,
        split=subject.split,
        rules=f"{subject.predictions.about.rules} {protocol}",
    )


def _pixel_figure(pixels: Tensor, subject: Subject, protocol: Protocol) -> Figure:
    """Give the pixel average precision of all images together."""
    count = len(pixels)
    sums = resampled_sums(pixels.flatten(1), resamples=protocol.resamples, seed=protocol.seed)
    low, high = bounds(average_precision(sums.view(-1, *pixels.shape[1:]))[:, None])
    every = torch.ones(count, dtype=torch.bool)
    verdict = Verdict("px_ap", torch.zeros(count), every)
    value = average_precision(pixels.double().sum(0)[None]).item()
    return _figure(verdict, value, (low.item(), high.item()), subject, protocol)
