"""Number, sizes and positions of boxes as in ILSVRC's 50,000 validation images.

The quantiles are those of the public annotations, in shares of the image's width and height. A
box's width and height come from a Gaussian copula. Boxes that are alone in their image are larger
than others: the larger a box, the more likely it is alone. Places near the middle are slightly
preferred.
"""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from gapnet.data.sources.shapes.traits import Array

LEVELS = (0.0, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 1.0)
WIDTHS = (0.02, 0.064, 0.100, 0.202, 0.430, 0.742, 0.939, 0.994, 1.0)
HEIGHTS = (0.025, 0.082, 0.123, 0.253, 0.502, 0.785, 0.944, 0.992, 1.0)
COPULA = 0.72  # the widths and heights themselves then have a correlation of 0.70
COUNTS = {1: 0.766, 2: 0.123, 3: 0.042, 4: 0.022, 5: 0.013, 8: 0.034}  # 8 stands for more than 5
SLOPE = 1.15  # of "alone" by size: fits the quantiles of the area of boxes that are alone
MIDDLE = (1.1, 1.5)  # how much places near the middle are preferred, in x and y; 1 means not at all
TRIES = 20  # to find a place
MAX_OVERLAP = 0.5  # of two boxes, as a share of the smaller one
NORMAL = NormalDist()


def random_boxes(rng: np.random.Generator) -> Array:
    """Draw the boxes of an image, (n, 4) as x0, y0, x1, y1 in 0..1, the largest first."""
    count = int(rng.choice(list(COUNTS), p=list(COUNTS.values())))
    sizes = np.array([random_size(rng, alone=count == 1) for _ in range(count)])
    boxes: list[Array] = []
    for size in sizes[np.argsort(-sizes.prod(1))]:
        boxes.append(_place(rng, size, boxes))
    return np.array(boxes)


def random_size(rng: np.random.Generator, *, alone: bool) -> Array:
    """Draw the width and height of a box, (2,); `alone`: it is the only box of its image."""
    share = COUNTS[1] / sum(count * often for count, often in COUNTS.items())  # of boxes alone
    middle = NORMAL.inv_cdf(share) * math.hypot(1, SLOPE)
    while True:
        first, other = rng.normal(size=2)
        second = COPULA * first + math.sqrt(1 - COPULA**2) * other
        size = (first + second) / math.sqrt(2 + 2 * COPULA)
        chance = NORMAL.cdf(middle + SLOPE * size)
        if (rng.random() < chance) == alone:
            width = np.interp(NORMAL.cdf(first), LEVELS, WIDTHS)
            height = np.interp(NORMAL.cdf(second), LEVELS, HEIGHTS)
            return np.array([width, height])


def _place(rng: np.random.Generator, size: Array, others: list[Array]) -> Array:
    """Return a box of a size at one of a few random places: that with the least overlap."""
    best, least = np.zeros(4), math.inf
    for _ in range(TRIES):
        corner = rng.beta(MIDDLE, MIDDLE) * (1 - size)
        box = np.concatenate([corner, corner + size])
        overlap = max((_overlap(box, other) for other in others), default=0.0)
        if overlap < least:
            best, least = box, overlap
        if least <= MAX_OVERLAP:
            break
    return best


def _overlap(a: Array, b: Array) -> float:
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    smaller = min((box[2:] - box[:2]).prod() for box in (a, b))
    return float(sides.clip(0).prod() / smaller)


def to_pixels(boxes: Array, size: tuple[int, int], *, least: int) -> NDArray[np.int64]:
    """Return boxes as x, y, width, height in pixels of an image (height, width)."""
    image = np.array([size[1], size[0]])
    sides = ((boxes[:, 2:] - boxes[:, :2]) * image).round().clip(least, image)
    corners = (boxes[:, :2] * image).round().clip(0, image - sides)
    return np.concatenate([corners, sides], axis=1).astype(np.int64)
