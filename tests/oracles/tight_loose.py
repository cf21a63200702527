"""Five guesses from three classes by loose and tight boxes, their verdict, and GraphCut's seeds."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tests.oracles.boxes import Box, iou
from tests.oracles.regions import components

Guess = tuple[int, Box]  # (label, box)

GUESSES = 5
SHARES = ((1, 5), (110, 255))  # of the maximum, loose and tight
FOREGROUND, BACKGROUND, UNKNOWN = 1, 0, -1


def guesses(classes: Sequence[int], boxes: npt.ArrayLike) -> list[Guess]:
    """Take each class with its loose, then its tight box, and stop after the fifth guess.

    Args:
        classes: K labels, the most probable first; those past the third never count.
        boxes: (K, 2, 4), of each class the loose and the tight one.
    """
    pairs = np.asarray(boxes, np.float64)
    listed: list[Guess] = []
    for label, pair in zip(classes, pairs, strict=True):
        for x1, y1, x2, y2 in pair:
            listed.append((int(label), (float(x1), float(y1), float(x2), float(y2))))
    return listed[:GUESSES]


def plain_boxes(cam: npt.ArrayLike) -> list[tuple[int, int, int, int]]:
    """Box the largest region above 20% of the maximum, and that above 110 of 255 parts of it.

    A region is 8-connected, and the largest has the most pixels, of equals the first in reading
    order. Values are compared as they are, not in 8 bits, strictly, and with no division, so that
    whole numbers compare exactly. Nothing is clipped; without a positive value both boxes are
    the whole image.

    Returns:
        The loose and the tight box.
    """
    values = np.asarray(cam, np.float64)
    height, width = values.shape
    highest = values.max()
    if highest <= 0:
        return [(0, 0, width - 1, height - 1)] * 2
    boxes = []
    for part, whole in SHARES:
        rows, columns = zip(*_largest(values * whole > highest * part), strict=True)
        boxes.append((min(columns), min(rows), max(columns), max(rows)))
    return boxes


def _largest(mask: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """List the pixels (row, column) of the largest 8-connected region."""
    return max(components(mask, 8), key=len)


def localization_right(
    guessed: Sequence[Guess], true_label: int, true_boxes: Sequence[Box], within: int
) -> bool:
    """Tell whether an early guess has the right label and overlaps a true box by half or more.

    Args:
        guessed: the most confident first.
        true_label: the image's one label.
        true_boxes: all of the image's, inclusive pixels, in the frame of the guesses.
        within: how many guesses count.
    """
    return any(
        label == true_label and iou(box, true_box, inclusive=True) >= 0.5
        for label, box in guessed[:within]
        for true_box in true_boxes
    )


def seeds(saliency: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Mark sure foreground by 1, sure background by 0 and all other pixels by -1.

    Foreground is strictly above the 95% quantile of the saliency, background strictly below
    the 30% quantile, so that a map of one value is unknown everywhere.

    Args:
        saliency: (H, W).
    """
    values = np.asarray(saliency, np.float64)
    low, high = np.quantile(values, (0.30, 0.95))
    marks = np.full(values.shape, UNKNOWN, np.int64)
    marks[values < low] = BACKGROUND
    marks[values > high] = FOREGROUND
    return marks
