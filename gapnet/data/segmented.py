"""Concepts that are annotated per pixel, and the annotation of one image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from gapnet.data.records import Record

NO_CONCEPT = -1
Plane = NDArray[np.int16]
COLOR = "color"  # as in Broden; so are "object", "part", "texture", "scene" and "material"


class Concept(NamedTuple):
    """A concept, such as the object "dog"; a name may be used in several categories."""

    name: str
    category: str


@dataclass(frozen=True)
class Annotation:
    """Concepts of one image, as indices of a list of concepts.

    Args:
        size: of the planes, (height, width).
        planes: concepts of pixels, (n, height, width); NO_CONCEPT where there is none. A pixel may
            have several concepts, in several planes.
        whole: concepts of the whole image.
    """

    size: tuple[int, int]
    planes: Plane
    whole: tuple[int, ...] = ()

    def resized(self, side: int | None) -> "Annotation":
        """Return the annotation at `side` x `side` pixels, by the nearest one; None: unchanged."""
        if side is None or self.size == (side, side):
            return self
        rows, columns = (_nearest(length, side) for length in self.size)
        return Annotation((side, side), self.planes[:, rows[:, None], columns], self.whole)


def _nearest(length: int, side: int) -> NDArray[np.int64]:
    """Return which of `length` pixels lies under the centre of each of `side` pixels."""
    return ((np.arange(side) + 0.5) * length / side).astype(np.int64)


class Annotator(Protocol):
    """Reads the annotations of a split; workers get a copy of it."""

    @property
    def concepts(self) -> Sequence[Concept]:
        """Concepts by index."""
        ...

    def annotation(self, record: Record) -> Annotation:
        """Read the annotation of an image of the split."""
        ...


@runtime_checkable
class Segmented(Protocol):
    """A data set with concepts per pixel."""

    def annotator(self, split: str) -> Annotator:
        """Return what reads the annotations of a split."""
        ...


def categories_of(concepts: Sequence[Concept]) -> list[str]:
    """List the categories in the order of their first concept."""
    return list(dict.fromkeys(concept.category for concept in concepts))
