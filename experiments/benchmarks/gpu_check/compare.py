"""What two trainings, or two evaluations, differ in."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gapnet.evaluation.predictions import Predictions, align
from gapnet.evaluation.store import read_parts
from gapnet.models.weights.files import read_state
from gapnet.runs.layout import METRICS, PREDICTIONS

PIXEL = 1.0  # by which a box may be off


class Difference(NamedTuple):
    """How far apart two trainings ended.

    share: the length of the difference of all weights, over that of the way that was left.
    largest: difference of a single weight. tensor: that it belongs to.
    """

    share: float
    largest: float
    tensor: str


def compare_weights(straight: Path, resumed: Path, *, since: Path) -> Difference:
    """Compare the checkpoints that two trainings ended with.

    Args:
        straight: of the training that was left alone.
        resumed: of the one that went on.
        since: from which it went on.
    """
    one, other, start = (_weights(path) for path in (straight, resumed, since))
    apart = {name: (one[name] - other[name]).abs() for name in one}
    left = {name: one[name] - start[name] for name in one}
    largest, tensor = max((values.max().item(), name) for name, values in apart.items())
    return Difference(_length(apart) / _length(left), largest, tensor)


def _weights(checkpoint: Path) -> dict[str, Tensor]:
    return {name: values.double() for name, values in read_state(checkpoint).items()}


def _length(tensors: Mapping[str, Tensor]) -> float:
    return math.sqrt(sum(values.square().sum().item() for values in tensors.values()))


def compare_metrics(one: Path, other: Path) -> list[str]:
    """Name the metrics of two evaluations that are not equal in all that is said of them."""
    mine, theirs = (json.loads((folder / METRICS).read_text()) for folder in (one, other))
    if len(mine) != len(theirs):
        return [f"{len(mine)} metrics, not {len(theirs)}"]
    pairs = zip(mine, theirs, strict=True)
    return [str(first["metric"]) for first, second in pairs if first != second]


def compare_predictions(one: Path, other: Path) -> dict[str, Any]:
    """Compare classes, scores and boxes of all splits that two evaluations predicted."""
    splits = sorted(folder.name for folder in (one / PREDICTIONS).iterdir())
    pairs = [_pair(one, other, split) for split in splits]
    offs = torch.cat([_box_offsets(*pair) for pair in pairs])
    return {
        "images": sum(len(first) for first, _ in pairs),
        "other_classes": sum(_other_classes(*pair) for pair in pairs),
        "largest_score_off": max(_score_difference(*pair) for pair in pairs),
        "boxes": len(offs),
        "boxes_off": int((offs > PIXEL).sum()),
        "largest_box_off": offs.max().item(),
    }


def _pair(one: Path, other: Path, split: str) -> tuple[Predictions, Predictions]:
    first, second = (Predictions(*read_parts(run / PREDICTIONS / split)) for run in (one, other))
    return first, align(second, first.ids)


def _other_classes(one: Predictions, other: Predictions) -> int:
    """Count the images whose classes are others, or in another order."""
    return int((one.classes != other.classes).any(1).sum())


def _score_difference(one: Predictions, other: Predictions) -> float:
    first, second = (
        torch.tensor(predictions.table["scores"].to_pylist(), dtype=torch.float64)
        for predictions in (one, other)
    )
    return (first - second).abs().max().item()


def _box_offsets(one: Predictions, other: Predictions) -> Tensor:
    """Give how many pixels the boxes of guesses, of true classes and of sweeps are off, (N,)."""
    return torch.cat(
        [
            (first - second).abs().amax(-1).flatten()
            for first, second in zip(_boxes(one), _boxes(other), strict=True)
        ]
    )


def _boxes(predictions: Predictions) -> list[Tensor]:
    swept = predictions.swept(len(predictions)) or ()
    known = [] if predictions.known is None else [predictions.known]
    return [predictions.guesses.boxes, *known, *(part.boxes for part in swept)]
