"""Rules that turn ranked classes and their boxes into the guesses that are scored."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from torch import Tensor

from gapnet.system.value_checks import whole_number

MOST = 5  # guesses that ILSVRC looks at


class GuessRule(Protocol):
    """Look at the first `classes` classes, and guess."""

    @property
    def classes(self) -> int:
        """Count the classes that are looked at."""
        ...

    @property
    def boxes_a_class(self) -> int:
        """Count the boxes of each that are made use of."""
        ...

    def __call__(self, classes: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Turn classes (B, K) and boxes (B, K, M, 4) into labels (B, G) and boxes (B, G, 4)."""
        ...


@dataclass(frozen=True)
class OnePerClass:
    """Guess one box for each of the first classes (section 3.2)."""

    classes: int = MOST

    boxes_a_class: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Check the range."""
        whole_number("guesses.classes", self.classes, least=1, most=MOST)

    def __call__(self, classes: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Give each class with its main box."""
        return classes[:, : self.classes], boxes[:, : self.classes, 0]


@dataclass(frozen=True)
class TightLoose:
    """Guess a loose and a tight box of the first two classes, and a loose one of the third.

    So the paper spends its five guesses on ILSVRC's test set (table 3).
    """

    classes: ClassVar[int] = 3
    boxes_a_class: ClassVar[int] = 2

    def __call__(self, classes: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Give loose, tight, loose, tight, loose, as far as there are classes."""
        labels = classes[:, : self.classes].repeat_interleave(2, 1)[:, :MOST]
        return labels, boxes[:, : self.classes, :2].flatten(1, 2)[:, :MOST]
