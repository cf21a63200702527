"""Network Dissection in plain numpy, with one loop over images and one over units."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gapnet.data.segmented import Annotation, Concept

Values = NDArray[np.float64]


def threshold(values: Values, share: float) -> float:
    """Return the least of the values that at most `share` of them exceed."""
    return min(v for v in values if (values > v).mean() <= share)


def enlarged(heat: Values, size: tuple[int, int]) -> Values:
    """Resize a map bilinearly between the centres of its cells."""
    rows, columns = (
        np.clip((np.arange(n) + 0.5) * cells / n - 0.5, 0, cells - 1)
        for n, cells in zip(size, heat.shape, strict=True)
    )
    low_y, low_x = np.floor(rows).astype(int), np.floor(columns).astype(int)
    high_y, high_x = (
        np.minimum(low_y + 1, heat.shape[0] - 1),
        np.minimum(low_x + 1, heat.shape[1] - 1),
    )
    y, x = (rows - low_y)[:, None], columns - low_x
    top = heat[low_y][:, low_x] * (1 - x) + heat[low_y][:, high_x] * x
    bottom = heat[high_y][:, low_x] * (1 - x) + heat[high_y][:, high_x] * x
    return top * (1 - y) + bottom * y


def has_concept(annotation: Annotation, concept: int) -> NDArray[np.int64]:
    """Count how often every pixel has a concept."""
    whole = int(concept in annotation.whole)
    return (annotation.planes == concept).sum(0) + np.full(annotation.size, whole)


def iou(
    maps: Values, annotations: Sequence[Annotation], concepts: Sequence[Concept], share: float
) -> Values:
    """Return IoU (C, K) of units, with maps (N, C, h, w), and concepts."""
    result = np.zeros((maps.shape[1], len(concepts)))
    for unit in range(maps.shape[1]):
        cut = threshold(maps[:, unit].reshape(-1), share)
        for number, concept in enumerate(concepts):
            both, either = 0, 0
            for heat, annotation in zip(maps[:, unit], annotations, strict=True):
                counts = [has_concept(annotation, k) for k in range(len(concepts))]
                same = [k for k, c in enumerate(concepts) if c.category == concept.category]
                if not sum(counts[k].sum() for k in same):
                    continue  # the category is not annotated here
                mask = (enlarged(heat, annotation.size) > cut) & (heat.max() > cut)
                both += int((counts[number] * mask).sum())
                either += int(counts[number].sum() + mask.sum())
            result[unit, number] = both / (either - both) if either - both else 0
    return result
