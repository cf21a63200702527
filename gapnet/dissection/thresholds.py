"""Thresholds T_k of units: P(a_k > T_k) = 0.005 over all places of all images."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor, sqrt
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

LEAST_COLUMNS = 4096  # values of a unit that are collected before the largest are selected
NUMBER_BYTES = 4
COPIES = 3  # of the largest values while they are selected from more
NORMAL_95 = 1.96
ROUNDING = 1e-9
UNREADABLE = "unreadable"
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Places:
    """Which places of a layer's maps determine the thresholds.

    Args:
        total: places of a map.
        used: of them, drawn at random for each image; all of them: the thresholds are exact.
        keep: largest values of a unit that must be known for its threshold.
    """

    total: int
    used: int
    keep: int

    @classmethod
    def plan(cls, total: int, units: int, images: int, *, share: float, memory: float) -> "Places":
        """Use as many places as the largest values of `images` images fit into `memory` bytes."""
        exact = COPIES * NUMBER_BYTES * units * (images * total * share + 1)
        used = total if exact <= memory else max(1, floor(total * memory / exact))
        return cls(total, used, floor(images * used * share + ROUNDING) + 1)

    @property
    def exact(self) -> bool:
        """Return whether all places are used."""
        return self.used == self.total

    def error(self, images: int, share: float) -> float:
        """Return the error of the share of places above a threshold, at 95% confidence.

        It is that of a random sample of places; 0 if all are used.
        """
        rest = 1 - self.used / self.total
        return NORMAL_95 * sqrt(rest * share * (1 - share) / (images * self.used))

    def values(self, maps: Tensor, row: int) -> Tensor:
        """Return the values (C, used) of an image's maps (C, h, w); `row` seeds the choice."""
        flat = maps.flatten(1)
        if self.exact:
            return flat
        chosen = torch.randperm(self.total, generator=torch.Generator().manual_seed(row))
        return flat[:, chosen[: self.used].to(flat.device)]


class LargestValues:
    """The largest values of every unit in a stream, in memory that does not grow."""

    def __init__(self, keep: int) -> None:
        """Remember the `keep` largest values of every unit."""
        self.keep, self._chunks, self._columns = keep, list[Tensor](), 0

    def add(self, values: Tensor) -> None:
        """Add values (C, n)."""
        self._chunks.append(self._select(values))
        self._columns += self._chunks[-1].shape[1]
        if self._columns > 2 * self.keep + LEAST_COLUMNS:
            self._chunks = [self.values()]
            self._columns = self._chunks[0].shape[1]

    def values(self) -> Tensor:
        """Return the largest values (C, at most `keep`), in any order."""
        return self._select(torch.cat(self._chunks, 1))

    def _select(self, values: Tensor) -> Tensor:
        if values.shape[1] <= self.keep:
            return values
        return values.topk(self.keep, dim=1, sorted=False).values


class ThresholdState:
    """The largest values of every set of units, and the number of images they come from."""

    def __init__(self, places: Mapping[str, Places]) -> None:
        """Begin without images; `places` by the name of the set."""
        self.places, self.images = places, 0
        self.unreadable: list[int] = []  # rows of images that could not be read
        self.largest = {name: LargestValues(plan.keep) for name, plan in places.items()}

    def add(self, maps: Mapping[str, Tensor], rows: list[int]) -> None:
        """Add the maps (B, C, h, w) of images by set; `rows` are those of the images."""
        self.images += len(rows)
        for name, plan in self.places.items():
            values = [plan.values(own, row) for own, row in zip(maps[name], rows, strict=True)]
            if values:
                self.largest[name].add(torch.cat(values, 1).cpu())

    def arrays(self) -> Arrays:
        """Return the state for a file."""
        values = {
            f"{index}": largest.values().numpy()
            for index, largest in enumerate(self.largest.values())
            if self.images
        }
        unreadable = np.array(self.unreadable, np.int64)
        return {"images": np.array(self.images), UNREADABLE: unreadable, **values}

    def merge(self, arrays: Arrays) -> None:
        """Add the state of other images."""
        self.images += int(arrays["images"])
        self.unreadable += arrays[UNREADABLE].tolist()
        for index, largest in enumerate(self.largest.values()):
            if f"{index}" in arrays:
                largest.add(torch.from_numpy(arrays[f"{index}"]))

    def thresholds(self, share: float) -> dict[str, Tensor]:
        """Return the thresholds (C,) by set: the least with at most this share of values above."""
        counts = {
            name: floor(self.images * plan.used * share + ROUNDING)
            for name, plan in self.places.items()
        }
        return {name: _above(self.largest[name].values(), counts[name]) for name in counts}


def _above(values: Tensor, count: int) -> Tensor:
    """Return the numbers (C,) that at most `count` of the values (C, n) exceed."""
    return values.topk(count + 1, dim=1).values[:, count]
