"""Box of the largest connected component of a map, at many thresholds."""

import numpy as np
from numpy.typing import NDArray

from gapnet.ops.contoured_components import largest_by_contours
from gapnet.ops.labelled_components import Box, Connectivity, Size, largest_by_labels
from gapnet.ops.lazy_sweep import compiled_sweep

__all__ = ["Size", "largest_component_boxes"]

FEW = 3  # thresholds
Extent = tuple[
    int, int, int, int
]  # first row, row after the last, first column, column after the last


def largest_component_boxes(
    heat: NDArray[np.float32],
    thresholds: NDArray[np.float32],
    *,
    connectivity: Connectivity = 8,
    size: Size = "pixels",
) -> NDArray[np.float32]:
    """Return the box of the largest connected component of the region above every threshold.

    Args:
        heat: the map, (H, W); NaN counts as above every threshold.
        thresholds: ascending, (T,); a cell belongs to the region if it is strictly above.
        connectivity: 8 lets cells touch at corners, 4 does not.
        size: what "largest" compares: the pixels of a component, or the area inside its outer
            contour, with its holes. The first in reading order wins a tie.

    Returns:
        Inclusive boxes (T, 4); an empty region has the box of the whole map.
    """
    if connectivity == 8 and size == "pixels":  # noqa: PLR2004  (neighbours)
        boxes = compiled_sweep(heat, thresholds)
        if boxes is not None:
            return boxes
    return boxes_one_by_one(heat, thresholds, connectivity=connectivity, size=size)


def boxes_one_by_one(
    heat: NDArray[np.float32],
    thresholds: NDArray[np.float32],
    *,
    connectivity: Connectivity,
    size: Size,
) -> NDArray[np.float32]:
    """Return the boxes of `largest_component_boxes`, from one mask per threshold."""
    extents = _extents(heat, thresholds)
    boxes = [
        _box_above(heat, threshold, extent, connectivity=connectivity, size=size)
        for threshold, extent in zip(thresholds, extents, strict=True)
    ]
    return np.array(boxes, np.float32).reshape(-1, 4)


def _extents(heat: NDArray[np.float32], thresholds: NDArray[np.float32]) -> list[Extent]:
    """Return, per threshold, a part of the map that contains all cells above it.

    For few thresholds that is the whole map, as to look for a smaller part takes longer.
    """
    height, width = heat.shape
    if len(thresholds) < FEW:
        return [(0, height, 0, width)] * len(thresholds)
    rows, columns = _ends(heat.max(1), thresholds), _ends(heat.max(0), thresholds)
    return [(*vertical, *horizontal) for vertical, horizontal in zip(rows, columns, strict=True)]


def _ends(highest: NDArray[np.float32], thresholds: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Return, per threshold, the first row (or column) above it and the one after the last."""
    above = ~(highest <= thresholds[:, None])
    ends = len(highest) - above[:, ::-1].argmax(1)
    return list(zip(above.argmax(1).tolist(), ends.tolist(), strict=True))


def _box_above(
    heat: NDArray[np.float32],
    threshold: np.float32,
    extent: Extent,
    *,
    connectivity: Connectivity,
    size: Size,
) -> Box:
    """Return the box of the largest component in a part of the map, or of the whole map."""
    top, bottom, left, right = extent
    above = heat[top:bottom, left:right] <= threshold
    np.logical_not(above, out=above)  # so that NaN is above
    box = _largest(above.view(np.uint8), connectivity=connectivity, size=size)
    if box is None:
        return Box(0, 0, heat.shape[1] - 1, heat.shape[0] - 1)
    return Box(left + box.x1, top + box.y1, left + box.x2, top + box.y2)


def _largest(mask: NDArray[np.uint8], *, connectivity: Connectivity, size: Size) -> Box | None:
    if connectivity == 8:  # noqa: PLR2004  (neighbours)
        return largest_by_contours(mask, size=size)
    return largest_by_labels(mask, connectivity=connectivity, size=size) if mask.any() else None
