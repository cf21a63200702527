"""Boxes of the largest component at all thresholds in two passes over a map, compiled by numba.

A map's cells are sorted into levels: how many thresholds are strictly below the cell. Each row is
cut into hills: level goes up, then down. The cells of a hill that are above a threshold are an
interval, and so connected. A hill whose peak touches a cell of at least that level in the next row
belongs to that cell's basin at every threshold. The basins, mostly a few, are then joined from the
highest threshold down, at the highest level at which two of them touch.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

MOST_LEVELS = 255  # levels are stored in 8 bits
MOST_SIDE = 2**15 - 1  # cells of a side; coordinates are stored in 16 bits
MOST_BASINS = 1024  # a table has the square of it
NONE = -1
LEFT, TOP, RIGHT, BOTTOM = 0, 1, 2, 3

Integers = NDArray[np.signedinteger]
Levels = NDArray[np.uint8]


part = numba.njit(nogil=True)  # its code is saved with that of the function that calls it
# Saved beside this file, or in the user's cache folder; an error if neither can be written.
saved = numba.njit(nogil=True, cache=True)


class Hills(NamedTuple):
    """Hills of a map, in reading order.

    of_cell: index of the hill, (H, W). left, right: first and last cell of the peak. level: of the
    peak. row: of the hill.
    """

    of_cell: Integers
    left: Integers
    right: Integers
    level: Levels
    row: Integers


class Parts(NamedTuple):
    """What a basin has at exactly one level: number of cells, first cell and box.

    size, first: (T + 1, basins). box: (T + 1, basins, 4).
    """

    size: Integers
    first: Integers
    box: Integers


class Saddles(NamedTuple):
    """Pairs of basins that touch, in a list for each level: `last` of it, and `previous`."""

    last: Integers
    previous: Integers
    one: Integers
    other: Integers


def sweep(heat: NDArray[np.float32], thresholds: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Return the boxes (T, 4) at ascending thresholds (T,); None for a map with too many basins."""
    if len(thresholds) > MOST_LEVELS or max(heat.shape) > MOST_SIDE or np.isnan(heat.max()):
        return None
    height, width = heat.shape
    boxes = np.tile(np.array([0, 0, width - 1, height - 1], np.int16), (len(thresholds), 1))
    plain = np.require(heat, np.float32, ["C", "W"])  # the code is for arrays of this kind only
    swept = _sweep(plain, thresholds.astype(np.float32), boxes)
    return boxes.astype(np.float32) if swept else None


@saved
def _sweep(heat: NDArray[np.float32], cuts: NDArray[np.float32], boxes: NDArray[np.int16]) -> bool:
    """Write the box at every threshold that is exceeded; False if there are too many basins."""
    levels = _levels(heat, cuts)
    hills = _cut_into_hills(levels)
    basin, basins = _number_basins(_link(levels, hills), hills.level)
    if basins > MOST_BASINS:
        return False
    cells = _basin_of_cells(levels, hills.of_cell, basin)
    parts = _measure(levels, cells, basins, len(cuts))
    _join(parts, _touching(levels, cells, basins, len(cuts)), boxes)
    return True


@part
def _levels(heat: NDArray[np.float32], cuts: NDArray[np.float32]) -> Levels:
    """Count the thresholds strictly below every cell."""
    height, width = heat.shape
    levels = np.empty((height, width), np.uint8)
    low, high = cuts[0], cuts[-1]
    steps = float((len(cuts) - 1) / (high - low) if high > low else 0)  # per unit of heat
    for y in range(height):
        for x in range(width):
            levels[y, x] = _level(heat[y, x], cuts, steps)
    return levels


@part
def _level(value: float, cuts: NDArray[np.float32], steps: float) -> int:
    if value <= cuts[0]:
        return 0
    if value > cuts[-1]:
        return len(cuts)
    guess = int((value - cuts[0]) * steps)  # right for even thresholds, but for rounding
    level = min(max(guess, 0), len(cuts) - 1)
    while level > 0 and cuts[level - 1] >= value:
        level -= 1
    while cuts[level] < value:
        level += 1
    return level


@part
def _cut_into_hills(levels: Levels) -> Hills:
    height, width = levels.shape
    most = height * (width // 2 + 1)
    of_cell = np.empty((height, width), np.int32)
    left, right, row = np.empty(most, np.int32), np.empty(most, np.int32), np.empty(most, np.int32)
    peak = np.empty(most, np.uint8)
    hill = NONE
    for y in range(height):
        rising, before = False, NONE
        for x in range(width):
            level = levels[y, x]
            if level > before:
                if not rising:
                    rising, hill = True, hill + 1
                    row[hill] = y
                left[hill], right[hill], peak[hill] = x, x, level
            elif level < before:
                rising = False
            elif rising:
                right[hill] = x
            of_cell[y, x] = hill
            before = level
    count = hill + 1
    return Hills(of_cell, left[:count], right[:count], peak[:count], row[:count])


@part
def _link(levels: Levels, hills: Hills) -> Integers:
    """Return a hill of the same basin for every hill; one that has none is its own."""
    links = np.empty(len(hills.row), np.int32)
    for hill in range(len(links)):
        y = hills.row[hill]
        links[hill] = _higher(levels, hills, hill, y - 1)
        if links[hill] == hill:  # a link to both would join them, but they need not touch
            links[hill] = _higher(levels, hills, hill, y + 1)
    return links


@part
def _higher(levels: Levels, hills: Hills, hill: int, y: int) -> int:
    """Return a hill of row y that the peak touches and that is at least as high there."""
    level = hills.level[hill]
    if level == 0 or y < 0 or y >= levels.shape[0]:
        return hill
    for x in range(max(hills.left[hill] - 1, 0), min(hills.right[hill] + 2, levels.shape[1])):
        if levels[y, x] >= level:
            other = hills.of_cell[y, x]
            if hills.level[other] > level or other < hill:  # links must not form a circle
                return int(other)
    return hill


@part
def _own_roots(count: int) -> Integers:
    links = np.empty(count, np.int32)
    for place in range(count):
        links[place] = place
    return links


@part
def _root(links: Integers, place: int) -> int:
    while links[place] != place:
        links[place] = links[links[place]]
        place = int(links[place])
    return place


@part
def _number_basins(links: Integers, peak: Levels) -> tuple[Integers, int]:
    """Return the basin of every hill, NONE below all thresholds, and the number of basins."""
    basin = np.full(len(links), NONE, np.int32)
    count = 0
    for hill in range(len(links)):
        if peak[hill] > 0:
            root = _root(links, hill)
            if basin[root] == NONE:
                basin[root] = count
                count += 1
            basin[hill] = basin[root]
    return basin, count


@part
def _basin_of_cells(levels: Levels, hill_of_cell: Integers, basin: Integers) -> Integers:
    """Return the basin of every cell above a threshold, with a border: (H + 1, W + 2)."""
    height, width = levels.shape
    cells = np.full((height + 1, width + 2), NONE, np.int32)
    for y in range(height):
        for x in range(width):
            if levels[y, x] > 0:
                cells[y + 1, x + 1] = basin[hill_of_cell[y, x]]
    return cells


@part
def _measure(levels: Levels, cells: Integers, basins: int, count: int) -> Parts:
    height, width = levels.shape
    size = np.zeros((count + 1, basins), np.int32)
    first = np.full((count + 1, basins), height * width, np.int32)
    box = np.full((count + 1, basins, 4), NONE, np.int16)
    for level in range(count + 1):
        for basin in range(basins):
            box[level, basin, LEFT], box[level, basin, TOP] = width, height
    for y in range(height):
        start = 0
        while start < width:
            level, basin = levels[y, start], cells[y + 1, start + 1]
            end = start + 1
            while end < width and levels[y, end] == level and cells[y + 1, end + 1] == basin:
                end += 1
            if level > 0:
                size[level, basin] += end - start
                first[level, basin] = min(first[level, basin], y * width + start)
                _enlarge(box[level, basin], start, y, end - 1, y)
            start = end
    return Parts(size, first, box)


@part
def _enlarge(box: Integers, left: int, top: int, right: int, bottom: int) -> None:
    box[LEFT] = min(box[LEFT], left)
    box[TOP] = min(box[TOP], top)
    box[RIGHT] = max(box[RIGHT], right)
    box[BOTTOM] = max(box[BOTTOM], bottom)


@part
def _touching(levels: Levels, cells: Integers, basins: int, count: int) -> Saddles:
    """List the pairs of basins that touch, by the highest level at which they do."""
    highest = np.zeros((basins, basins), np.uint8)
    if basins > 1:
        for y in range(len(levels)):
            _touch_row(highest, levels, cells, y)
    return _listed(highest, count)


@part
def _touch_row(highest: Levels, levels: Levels, cells: Integers, y: int) -> None:
    """Record where cells of a row touch other basins, to the left and above."""
    here, above = cells[y + 1], cells[y]
    for x in range(levels.shape[1]):
        basin = here[x + 1]
        if basin != NONE:
            level = levels[y, x]
            if here[x] != basin:
                _touch(highest, level, basin, levels[y, x - 1], here[x])
            if above[x] != basin:
                _touch(highest, level, basin, levels[y - 1, x - 1], above[x])
            if above[x + 1] != basin:
                _touch(highest, level, basin, levels[y - 1, x], above[x + 1])
            if above[x + 2] != basin:
                _touch(highest, level, basin, levels[y - 1, x + 1], above[x + 2])


@part
def _touch(highest: Levels, level: int, basin: int, other_level: int, other: int) -> None:
    if other != NONE:
        one, two = max(basin, other), min(basin, other)
        highest[one, two] = max(highest[one, two], min(level, other_level))


@part
def _listed(highest: Levels, count: int) -> Saddles:
    most = len(highest) * len(highest) // 2
    last, previous = np.full(count + 1, NONE, np.int32), np.empty(most, np.int32)
    ones, others = np.empty(most, np.int32), np.empty(most, np.int32)
    pair = 0
    for one in range(len(highest)):
        for other in range(one):
            level = highest[one, other]
            if level > 0:
                ones[pair], others[pair] = one, other
                previous[pair] = last[level]
                last[level] = pair
                pair += 1
    return Saddles(last, previous, ones, others)


@part
def _join(parts: Parts, saddles: Saddles, boxes: NDArray[np.int16]) -> None:
    """Join the basins from the highest threshold down, and write the box at each (T, 4).

    Level 0 of a basin, which no part has, becomes the component that the basin is the root of.
    """
    basins = parts.size.shape[1]
    links = _own_roots(basins)
    for level in range(len(boxes), 0, -1):
        for basin in range(basins):
            if parts.size[level, basin] > 0:
                _add(parts, _root(links, basin), basin, level)
        pair = saddles.last[level]
        while pair != NONE:
            one, other = _root(links, saddles.one[pair]), _root(links, saddles.other[pair])
            if one != other:
                links[other] = one
                _add(parts, one, other, 0)
                parts.size[0, other] = 0
            pair = saddles.previous[pair]
        largest = _largest(parts)
        if largest != NONE:
            for side in range(4):
                boxes[level - 1, side] = parts.box[0, largest, side]


@part
def _add(parts: Parts, root: int, basin: int, level: int) -> None:
    parts.size[0, root] += parts.size[level, basin]
    parts.first[0, root] = min(parts.first[0, root], parts.first[level, basin])
    box = parts.box[level, basin]
    _enlarge(parts.box[0, root], box[LEFT], box[TOP], box[RIGHT], box[BOTTOM])


@part
def _largest(parts: Parts) -> int:
    """Return the component with the most cells, of several the first in reading order."""
    largest, size, first = NONE, 0, 0
    for basin in range(parts.size.shape[1]):
        own, own_first = parts.size[0, basin], parts.first[0, basin]
        if own > size or (own == size > 0 and own_first < first):
            largest, size, first = basin, own, own_first
    return largest
