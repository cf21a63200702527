"""Labels of units: the concepts whose pixels their masks cover best."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapnet.dissection.tally import ConceptCounts, UnitCounts

MIN_IOU = 0.04  # of a detector, as published


@dataclass(frozen=True)
class Match:
    """A concept and a unit: pixels of each, of both, and IoU.

    `truth` counts pixels with the concept, `activation` pixels of the unit's mask on the images
    that are annotated in the concept's category, and `intersect` those that are both.
    """

    category: str
    label: str
    truth: int
    activation: int
    intersect: int

    @property
    def iou(self) -> float:
        """Return intersection over union; 0 without any pixels.

        >>> Match("color", "red", truth=10, activation=10, intersect=5).iou
        0.3333333333333333
        """
        union = self.truth + self.activation - self.intersect
        return self.intersect / union if union else 0.0


@dataclass(frozen=True)
class LabelledUnit:
    """A unit, counted from 0, with its best concept of every category."""

    unit: int
    matches: tuple[Match, ...]

    @property
    def best(self) -> Match:
        """Return the best concept; of two equal ones, that of the earlier category."""
        return max(self.matches, key=lambda match: match.iou)


def label_units(units: UnitCounts, concepts: ConceptCounts) -> list[LabelledUnit]:
    """Return every unit with its best concept of every category that has concepts."""
    iou = iou_of(units, concepts)
    matches = [_matches(iou, units, concepts, number) for number in range(len(concepts.categories))]
    return [LabelledUnit(unit, row) for unit, row in enumerate(zip(*matches, strict=True))]


def iou_of(units: UnitCounts, concepts: ConceptCounts) -> NDArray[np.float64]:
    """Return IoU (C, K) of units and concepts, over the images with the concept's category."""
    union = units.activation[:, concepts.category] + concepts.truth - units.intersect
    iou: NDArray[np.float64] = units.intersect / np.maximum(union, 1)
    return iou


def _matches(
    iou: NDArray[np.float64], units: UnitCounts, concepts: ConceptCounts, number: int
) -> list[Match]:
    """Return the best concept of one category for every unit."""
    own = np.flatnonzero(concepts.category == number)
    best = own[iou[:, own].argmax(1)]
    return [
        Match(
            category=concepts.categories[number],
            label=concepts.concepts[concept].name,
            truth=int(concepts.truth[concept]),
            activation=int(units.activation[unit, number]),
            intersect=int(units.intersect[unit, concept]),
        )
        for unit, concept in enumerate(best)
    ]


@dataclass(frozen=True)
class Summary:
    """Number of units, of detectors, and of the different concepts that are detected.

    Args:
        units: number of units.
        detectors: number of units whose IoU with their best concept exceeds `min_iou`.
        unique: number of different concepts that detectors have.
        by_category: number of detectors by category.
        unique_by_category: number of these concepts by category.
    """

    units: int
    detectors: int
    unique: int
    by_category: dict[str, int]
    unique_by_category: dict[str, int]


def summarise(
    units: Sequence[LabelledUnit], categories: Sequence[str], min_iou: float = MIN_IOU
) -> Summary:
    """Count the detectors among units."""
    best = [unit.best for unit in units]
    detected = [match for match in best if match.iou > min_iou]
    names = {(match.category, match.label) for match in detected}
    by_category = [match.category for match in detected]
    unique = [category for category, _ in names]
    return Summary(
        len(units),
        len(detected),
        len(names),
        {name: by_category.count(name) for name in categories},
        {name: unique.count(name) for name in categories},
    )
