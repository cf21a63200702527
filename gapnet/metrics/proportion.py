"""Interval of a proportion."""

from math import sqrt

Z = 1.959963984540054  # 97.5% of the normal distribution


def wilson_interval(hits: int, count: int) -> tuple[float, float]:
    """Return Wilson's 95% interval of the proportion hits / count.

    >>> [round(bound, 3) for bound in wilson_interval(8, 10)]
    [0.49, 0.943]
    """
    share, spread = hits / count, Z * Z / count
    centre = (share + spread / 2) / (1 + spread)
    half = Z / (1 + spread) * sqrt(share * (1 - share) / count + spread / (4 * count))
    return max(0.0, centre - half), min(1.0, centre + half)
