"""The error for networks whose class maps cannot be computed."""

from gapnet.errors import GapnetError

REMEDY = (
    "it has no class maps of its own; use method=grad_cam (gapnet.explain, gapnet predict), or "
    "gapnet.gapify, which gives it a new classifier with class maps"
)


class NoClassMapsError(GapnetError):
    """A network cannot be adopted; Grad-CAM and gradients may still explain it."""

    @classmethod
    def of(cls, name: str, problem: str) -> "NoClassMapsError":
        """Return the error of a network, with the problem."""
        return cls(f"{name}: {problem}; {REMEDY}")
