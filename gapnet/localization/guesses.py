"""Rules that turn ranked classes and their boxes into the guesses that are scored."""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from gapnet.errors import GapnetError

MOST = 5  # guesses that ILSVRC looks at


class GuessRule(Protocol):
    """Look at the first `classes` classes, and guess."""

    classes: int

    def __call__(self, classes: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Turn classes (B, K) and boxes (B, K, 4) into labels (B, G) and boxes (B, G, 4)."""
        ...


@dataclass(frozen=True)
class OnePerClass:
    """Guess one box for each of the first classes (section 3.2)."""

    classes: int = MOST

    def __post_init__(self) -> None:
        """Check the range."""
        if not 1 <= self.classes <= MOST:
            raise GapnetError(f"guesses.classes={self.classes}: must be from 1 to {MOST}")

    def __call__(self, classes: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Give each class with its box."""
        return classes[:, : self.classes], boxes[:, : self.classes]
