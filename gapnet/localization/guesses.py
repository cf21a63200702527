"""Rules that make guesses, which are scored, from ranked classes and their boxes."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from torch import Tensor

from gapnet.system.value_checks import whole_number

MOST = 5  # guesses per image that ILSVRC scores


class GuessRule(Protocol):
    """Interface of guess rules, which use the first `classes` classes."""

    @property
    def classes(self) -> int:
        """Return how many classes are used."""
        ...

    @property
    def boxes_a_class(self) -> int:
        """Return how many boxes per class are used."""
        ...

    def __call__(self, classes: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Return labels (B, G) and boxes (B, G, 4) for classes (B, K) and boxes (B, K, M, 4)."""
        ...


@dataclass(frozen=True)
class OnePerClass:
    """Guess rule with one box per class, for the first classes (section 3.2)."""

    classes: int = MOST

    boxes_a_class: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Check the number of classes."""
        whole_number("guesses.classes", self.classes, least=1, most=MOST)

    def __call__(self, classes: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Return the classes with their main boxes."""
        return classes[:, : self.classes], boxes[:, : self.classes, 0]


@dataclass(frozen=True)
class TightLoose:
    """Guess rule with a loose and a tight box of the first two classes, a loose one of the third.

    The paper uses these five guesses on ILSVRC's test set (table 3).
    """

    classes: ClassVar[int] = 3
    boxes_a_class: ClassVar[int] = 2

    def __call__(self, classes: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Return loose, tight, loose, tight, loose, or fewer if there are fewer classes."""
        labels = classes[:, : self.classes].repeat_interleave(2, 1)[:, :MOST]
        return labels, boxes[:, : self.classes, :2].flatten(1, 2)[:, :MOST]
