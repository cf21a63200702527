"""Counts of pixels that the units and the concepts cover, separately and together."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from gapnet.data.segmented import Annotation, Concept, categories_of
from gapnet.dissection.thresholds import Arrays
from gapnet.ops.pixels_above import pixels_above

Counts = NDArray[np.int64]
MOST_KEYS = 2**21  # pairs of unit and concept that are collected before they are counted


class ConceptCounts:
    """Pixels of every concept, and images that are annotated in every category."""

    def __init__(self, concepts: Sequence[Concept]) -> None:
        """Count nothing yet."""
        self.concepts = list(concepts)
        self.categories = categories_of(concepts)
        order = [self.categories.index(concept.category) for concept in concepts]
        self.category = np.array(order, np.int64)
        self.truth: Counts = np.zeros(len(concepts), np.int64)
        self.annotated: Counts = np.zeros(len(self.categories), np.int64)

    def add(self, annotation: Annotation) -> NDArray[np.bool_]:
        """Count an image; return in which categories it is annotated."""
        labels = annotation.planes[annotation.planes >= 0]
        pixels = np.bincount(labels, minlength=len(self.concepts))
        np.add.at(pixels, list(annotation.whole), annotation.size[0] * annotation.size[1])
        present = np.zeros(len(self.categories), np.bool_)
        present[self.category[pixels > 0]] = True
        self.truth += pixels
        self.annotated += present
        return present

    def arrays(self) -> Arrays:
        """Return the counts for a file."""
        return {"truth": self.truth, "annotated": self.annotated}

    def merge(self, arrays: Arrays) -> None:
        """Add the counts of other images."""
        self.truth += arrays["truth"]
        self.annotated += arrays["annotated"]


@dataclass
class UnitCounts:
    """Counts of one set of C units, with K concepts of G categories.

    Args:
        intersect: pixels of a unit's mask that have a concept, (C, K).
        activation: pixels of a unit's mask on the images that are annotated in a category, (C, G).
        area: pixels of a unit's mask on all images, (C,).
        above: places of the unit's maps, before they are resized, above the threshold, (C,).
        places: of a unit's maps on all images, ().
    """

    intersect: Counts
    activation: Counts
    area: Counts
    above: Counts
    places: Counts

    @classmethod
    def zero(cls, units: int, concepts: int, categories: int) -> "UnitCounts":
        """Count nothing yet."""
        shapes = ((units, concepts), (units, categories), (units,), (units,), ())
        return cls(*(np.zeros(shape, np.int64) for shape in shapes))

    def arrays(self, prefix: str) -> Arrays:
        """Return the counts for a file."""
        return {f"{prefix}{field.name}": getattr(self, field.name) for field in fields(self)}

    def merge(self, arrays: Arrays, prefix: str) -> None:
        """Add the counts of other images."""
        for field in fields(self):
            getattr(self, field.name)[...] += arrays[f"{prefix}{field.name}"]


class Tally:
    """Counter of the masks of one set of units.

    A mask is where the unit's map, resized bilinearly to the segmentation, exceeds its threshold.
    Only pixels in masks are looked up, 0.5% of all, so that the number of concepts hardly matters.
    """

    def __init__(self, thresholds: Tensor, concepts: int, categories: int) -> None:
        """Count with the thresholds (C,) of the units."""
        self.thresholds = thresholds
        self.counts = UnitCounts.zero(len(thresholds), concepts, categories)
        self._keys: list[Counts] = []
        self._waiting = 0

    def add(self, maps: Tensor, annotation: Annotation, present: NDArray[np.bool_]) -> None:
        """Count the maps (C, h, w) of an image, which is annotated in the categories `present`."""
        thresholds = self.thresholds.to(maps.device)
        above = (maps > thresholds[:, None, None]).flatten(1).sum(1)
        self.counts.above += above.cpu().numpy()
        self.counts.places += maps.shape[1] * maps.shape[2]
        units, places = pixels_above(maps, thresholds, annotation.size)
        self._count(units.cpu().numpy(), places.cpu().numpy(), annotation, present)

    def _count(
        self, units: Counts, places: Counts, annotation: Annotation, present: NDArray[np.bool_]
    ) -> None:
        """Count masks, as pairs of a unit and a pixel."""
        area = np.bincount(units, minlength=len(self.thresholds))
        self.counts.area += area
        self.counts.activation += area[:, None] * present
        for concept in annotation.whole:
            self.counts.intersect[:, concept] += area
        first = units * self.counts.intersect.shape[1]
        for plane in annotation.planes:
            labels = plane.reshape(-1)[places]
            named = labels >= 0
            self._wait(first[named] + labels[named])

    def _wait(self, keys: Counts) -> None:
        self._keys.append(keys)
        self._waiting += len(keys)
        if self._waiting > MOST_KEYS:
            self.finish()

    def finish(self) -> UnitCounts:
        """Count what was collected; return the counts."""
        shape = self.counts.intersect.shape
        if self._keys:
            keys = np.concatenate(self._keys)
            self.counts.intersect += np.bincount(keys, minlength=shape[0] * shape[1]).reshape(shape)
        self._keys, self._waiting = [], 0
        return self.counts
