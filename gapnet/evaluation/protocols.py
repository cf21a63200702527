"""What counts as right."""

from dataclasses import dataclass

from gapnet.errors import GapnetError


@dataclass(frozen=True)
class Protocol:
    """Name the rules by which predictions are scored.

    Args:
        name: stands beside every figure.
        iou: from this overlap on (not above it) a box is right.
        inclusive: whether a box's last pixel belongs to it when areas are taken.
        cuts: how many thresholds the sweep tries, evenly from 0 up to, but not including, 1.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """

    name: str = "paper"
    iou: float = 0.5
    inclusive: bool = True
    cuts: int = 100
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 0 < self.iou <= 1:
            raise GapnetError(f"protocol.iou={self.iou}: must be above 0 and at most 1")
        if self.cuts < 1:
            raise GapnetError(f"protocol.cuts={self.cuts}: must be at least 1")
        if self.resamples < 1:
            raise GapnetError(f"protocol.resamples={self.resamples}: must be at least 1")

    def thresholds(self) -> list[float]:
        """List the cuts of the sweep, ascending."""
        return [index / self.cuts for index in range(self.cuts)]
