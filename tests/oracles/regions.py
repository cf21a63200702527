"""Connected regions by flood fill, and the box around the largest one."""

import numpy as np
import numpy.typing as npt

from tests.oracles.maps import normalise, upsample

Cell = tuple[int, int]  # (row, column)

SIDES = [(-1, 0), (0, -1), (0, 1), (1, 0)]
CORNERS = [(-1, -1), (-1, 1), (1, -1), (1, 1)]
STEPS = {4: SIDES, 8: SIDES + CORNERS}


def components(mask: npt.ArrayLike, connectivity: int) -> list[list[Cell]]:
    """Collect the connected regions, ordered by their first cell in reading order.

    Args:
        mask: (H, W), True inside the regions.
        connectivity: 4 (cells touch by a side) or 8 (by a side or a corner).

    Returns:
        The cells (row, column) of each region, themselves in reading order.
    """
    inside = np.asarray(mask, np.bool_)
    height, width = inside.shape
    unseen = {(y, x) for y in range(height) for x in range(width) if inside[y, x]}
    regions = []
    for y in range(height):
        for x in range(width):
            if (y, x) in unseen:
                region = _flood((y, x), unseen, steps=STEPS[connectivity])
                regions.append(region)
    return regions


def _flood(start: Cell, unseen: set[Cell], *, steps: list[Cell]) -> list[Cell]:
    """Take the region of `start` out of `unseen`."""
    unseen.remove(start)
    region, waiting = [], [start]
    while waiting:
        y, x = waiting.pop()
        region.append((y, x))
        for down, across in steps:
            neighbour = (y + down, x + across)
            if neighbour in unseen:
                unseen.remove(neighbour)
                waiting.append(neighbour)
    return sorted(region)


def largest_component_box(
    cam: npt.ArrayLike, threshold: float, *, connectivity: int
) -> tuple[int, int, int, int]:
    """Frame the region of most pixels strictly above the threshold, or all where none is above.

    Of regions of equal size, the one whose first cell comes first in reading order counts.

    Args:
        cam: (H, W).
        threshold: in the map's own units.
        connectivity: 4 or 8.

    Returns:
        (x1, y1, x2, y2), the last column and row included.
    """
    values = np.asarray(cam)
    largest: list[Cell] = []
    for region in components(values > threshold, connectivity):
        if len(region) > len(largest):
            largest = region
    if not largest:
        height, width = values.shape
        return 0, 0, width - 1, height - 1
    rows = [y for y, _ in largest]
    columns = [x for _, x in largest]
    return min(columns), min(rows), max(columns), max(rows)


def cam_box(cam: npt.ArrayLike, size: tuple[int, int], *, cut: float) -> tuple[int, int, int, int]:
    """Box a class map at image size by the paper's rule: the largest region above cut * maximum.

    Args:
        cam: (h, w), the class map.
        size: (H, W) of the image.
        cut: the share of the maximum, 0.20 in the paper.

    Returns:
        (x1, y1, x2, y2) in image pixels, inclusive; regions are 8-connected.
    """
    return largest_component_box(normalise(upsample(cam, size)), cut, connectivity=8)
