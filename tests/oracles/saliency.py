"""Maps of evidence where they can be written down, one number at a time."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def relu_layer_gradient(
    image: npt.ArrayLike, first: npt.ArrayLike, second: npt.ArrayLike, rule: str
) -> Array:
    """Differentiate S = sum_j v_j max(0, w_j . x) by x, the ReLU going back by a rule.

    Args:
        image: x, (N,).
        first: w, (J, N).
        second: v, (J,).
        rule: what v_j is multiplied by on its way back: "gradient", 1 where w_j . x is positive;
            "deconvnet", 1 where v_j itself is; "guided", 1 where both are.

    Returns:
        (N,).
    """
    pixels, layer = np.asarray(image, np.float64), np.asarray(first, np.float64)
    result = np.zeros(len(pixels))
    for weights, back in zip(layer, np.asarray(second, np.float64), strict=True):
        active, positive = float(weights @ pixels) > 0, back > 0
        passed = {"gradient": active, "deconvnet": positive, "guided": active and positive}[rule]
        for place, weight in enumerate(weights):
            result[place] += back * weight if passed else 0
    return result


def grad_cam(features: npt.ArrayLike, gradients: npt.ArrayLike) -> Array:
    """Weigh feature planes (C, h, w) by their mean gradient, and cut the sum (h, w) off below 0."""
    planes, slopes = np.asarray(features, np.float64), np.asarray(gradients, np.float64)
    total = np.zeros(planes.shape[1:])
    for plane, slope in zip(planes, slopes, strict=True):
        total += slope.sum() / slope.size * plane
    return np.maximum(total, 0)


def grad_cam_plus_plus(features: npt.ArrayLike, gradients: npt.ArrayLike) -> Array:
    """Weigh feature planes by equation 19: a = g^2 / (2 g^2 + sum(f) g^3), at each place.

    Args:
        features: (C, h, w).
        gradients: g, (C, h, w), of the score; with those of its exponential, the map is
            exp(score) times as large.

    Returns:
        (h, w).
    """
    planes, slopes = np.asarray(features, np.float64), np.asarray(gradients, np.float64)
    total = np.zeros(planes.shape[1:])
    for plane, slope in zip(planes, slopes, strict=True):
        weight = 0.0
        for g in slope.flat:
            alpha = g**2 / (2 * g**2 + plane.sum() * g**3) if g else 0.0
            weight += alpha * max(g, 0)
        total += weight * plane
    return np.maximum(total, 0)


def occlusion(
    image: npt.ArrayLike, score: Callable[[Array], float], window: int, stride: int
) -> Array:
    """Average at each pixel the drops of a score behind the patches that cover it.

    Patches start every `stride` pixels as long as they fit, and one more ends at the border.

    Args:
        image: (C, H, W).
        score: of such an image.
        window: side of a patch.
        stride: between patches.

    Returns:
        (H, W).
    """
    pixels = np.asarray(image, np.float64)
    drops: dict[tuple[int, int], float] = {}
    for top in _starts(pixels.shape[1], window, stride):
        for left in _starts(pixels.shape[2], window, stride):
            hidden = pixels.copy()
            hidden[:, top : top + window, left : left + window] = 0
            drops[top, left] = score(pixels) - score(hidden)
    averaged = np.zeros(pixels.shape[1:])
    for y, x in np.ndindex(averaged.shape):
        over = [
            drop
            for (top, left), drop in drops.items()
            if top <= y < top + window and left <= x < left + window
        ]
        averaged[y, x] = sum(over) / len(over)
    return averaged


def _starts(side: int, window: int, stride: int) -> list[int]:
    starts = [start for start in range(0, side, stride) if start + window <= side]
    return starts if starts[-1] + window == side else [*starts, side - window]
