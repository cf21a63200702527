"""The ILSVRC classification and localization errors as the development kit counts them."""

import numpy as np

from tests.oracles.boxes import Box, iou

Guess = tuple[int, Box]  # (label, box); up to five for an image, the most confident first


def classification_error(guessed_labels: list[list[int]], labels: list[int], *, k: int) -> float:
    """Count the share of images whose label is not among their first k guesses."""
    wrong = 0
    for guessed, label in zip(guessed_labels, labels, strict=True):
        if label not in guessed[:k]:
            wrong += 1
    return wrong / len(labels)


def localization_error(
    guesses: list[list[Guess]],
    labels: list[int],
    *,
    true_boxes: list[list[Box]],
    k: int,
    iou_threshold: float = 0.5,
    inclusive: bool = True,
) -> float:
    """Count the share of images without a guess, in the first k, of the right label and place.

    The place is right where the IoU with any of the image's true boxes reaches the threshold;
    a label may be guessed more than once.
    """
    wrong = 0
    for guessed, label, truths in zip(guesses, labels, true_boxes, strict=True):
        right = False
        for guessed_label, box in guessed[:k]:
            if guessed_label == label and _hits(
                box, truths, iou_threshold=iou_threshold, inclusive=inclusive
            ):
                right = True
        wrong += not right
    return wrong / len(labels)


def gt_known_error(
    boxes: list[Box], true_boxes: list[list[Box]], *, iou_threshold: float, inclusive: bool
) -> float:
    """Count the share of images whose one box, made for the true label, misses all true boxes."""
    wrong = 0
    for box, truths in zip(boxes, true_boxes, strict=True):
        wrong += not _hits(box, truths, iou_threshold=iou_threshold, inclusive=inclusive)
    return wrong / len(boxes)


def _hits(box: Box, truths: list[Box], *, iou_threshold: float, inclusive: bool) -> bool:
    """Tell whether the IoU with any true box reaches the threshold, equality included."""
    return any(iou(box, truth, inclusive=inclusive) >= iou_threshold for truth in truths)


def bootstrap_interval(
    values: list[float], resamples: int, *, seed: int, level: float = 0.95
) -> tuple[float, float]:
    """Bracket the mean by the percentiles of its bootstrap resamples, drawn one at a time."""
    rng = np.random.default_rng(seed)
    drawn_from = np.asarray(values, np.float64)
    n = len(drawn_from)
    means = [drawn_from[rng.integers(0, n, n)].mean() for _ in range(resamples)]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def centred_box(size: tuple[int, int], share: float) -> Box:
    """Place a box with `share` of each side in the middle, inclusive: x2 - x1 + 1 = width * share.

    Args:
        size: (height, width) of the image.
        share: in (0, 1]; 1 gives the whole image (0, 0, width - 1, height - 1).
    """
    height, width = size
    x1 = (width - width * share) / 2
    y1 = (height - height * share) / 2
    return x1, y1, x1 + width * share - 1, y1 + height * share - 1


def best_centred_share(
    sizes: list[tuple[int, int]],
    true_boxes: list[list[Box]],
    *,
    shares: list[float],
    iou_threshold: float,
) -> float:
    """Choose the share whose centred boxes err least, the first of equals; IoU is inclusive."""
    best, lowest = shares[0], float("inf")
    for share in shares:
        boxes = [centred_box(size, share) for size in sizes]
        error = gt_known_error(boxes, true_boxes, iou_threshold=iou_threshold, inclusive=True)
        if error < lowest:
            best, lowest = share, error
    return best
