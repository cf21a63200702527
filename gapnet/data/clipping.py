"""Clips boxes of COCO and YOLO, whose coordinates are edges, to the pixels of the image."""

from collections.abc import Sequence

from gapnet.errors import GapnetError


def clipped(edges: Sequence[float], size: tuple[int, int], where: str) -> list[float] | None:
    """Return the inclusive pixels of a box inside its image; None if it has less than a pixel.

    Args:
        edges: x1, y1, x2, y2, from the left and upper edge of the image.
        size: (height, width) of the image; (0, 0) if it is not known.
        where: begins the error for a box outside its image.

    >>> clipped((1.5, 2.0, 4.25, 9.0), (8, 8), "a.json")
    [1.5, 2.0, 3.25, 7.0]
    """
    height, width = map(float, size if min(size) > 0 else ("inf", "inf"))
    x1, y1, x2, y2 = edges
    if x2 < 0 or y2 < 0 or x1 > width or y1 > height:
        raise GapnetError(f"{where}: box {list(edges)} is outside its image; correct it")
    x1, y1, x2, y2 = max(x1, 0.0), max(y1, 0.0), min(x2, width), min(y2, height)
    return None if x2 - x1 < 1 or y2 - y1 < 1 else [x1, y1, x2 - 1, y2 - 1]
