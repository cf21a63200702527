"""Pairs of classes that are confused."""

from typing import NamedTuple

from torch import Tensor


class ConfusedPair(NamedTuple):
    """Rows of images of the class `label` whose first prediction is another class."""

    label: int
    predicted: int
    rows: list[int]


def confused_pairs(predicted: Tensor, labels: Tensor, *, most: int) -> list[ConfusedPair]:
    """Return the pairs of classes with the most confused images, at most `most`.

    Args:
        predicted: the first class of every image, (N,); negative for an image without one.
        labels: (N,).
        most: of the pairs.

    >>> import torch
    >>> confused_pairs(torch.tensor([1, 1, 0, 2]), torch.tensor([0, 0, 1, 2]), most=1)
    [ConfusedPair(label=0, predicted=1, rows=[0, 1])]
    """
    rows = ((predicted != labels) & (predicted >= 0)).nonzero().flatten()
    by_pair: dict[tuple[int, int], list[int]] = {}
    for row in rows.tolist():
        by_pair.setdefault((int(labels[row]), int(predicted[row])), []).append(row)
    order = sorted(by_pair, key=lambda pair: (-len(by_pair[pair]), pair))
    return [ConfusedPair(*pair, by_pair[pair]) for pair in order[:most]]
