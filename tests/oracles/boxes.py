"""Intersection over union of two boxes, by formula and by counting pixels."""

Box = tuple[float, float, float, float]  # x1, y1, x2, y2


def iou(a: Box, b: Box, *, inclusive: bool) -> float:
    """Divide the common area by the joint area; 0 where there is none, or a box is inside out.

    Args:
        a: x1, y1, x2, y2.
        b: x1, y1, x2, y2.
        inclusive: the last column and row belong to a box, so that a side is x2 - x1 + 1.
    """
    common = (max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3]))
    intersection = _area(common, inclusive=inclusive)
    union = _area(a, inclusive=inclusive) + _area(b, inclusive=inclusive) - intersection
    return intersection / union if union > 0 else 0.0


def _area(box: Box, *, inclusive: bool) -> float:
    """Multiply the sides, a negative side counting as none."""
    x1, y1, x2, y2 = (float(edge) for edge in box)
    extra = 1.0 if inclusive else 0.0
    return max(x2 - x1 + extra, 0.0) * max(y2 - y1 + extra, 0.0)


def iou_by_counting(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> float:
    """Count the common and the joint pixels of two boxes whose last column and row are inside."""
    first, second = _pixels(a), _pixels(b)
    joint = first | second
    return len(first & second) / len(joint) if joint else 0.0


def _pixels(box: tuple[int, int, int, int]) -> set[tuple[int, int]]:
    """List every (x, y) that the box covers."""
    x1, y1, x2, y2 = box
    return {(x, y) for x in range(x1, x2 + 1) for y in range(y1, y2 + 1)}
