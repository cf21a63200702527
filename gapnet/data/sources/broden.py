"""Broden, the data set of Network Dissection, in its published layout.

ROOT/index.csv          a row per image: its file, split, sizes, and what it has of each category
ROOT/category.csv, ROOT/label.csv, ROOT/c_CATEGORY.csv    names and numbers of the labels
ROOT/images/...         images, and segmentations as PNG files: label = red + 256 x green
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gapnet.data.options import ALL, Reader
from gapnet.data.readers.broden_tables import (
    INDEX,
    Indexed,
    read_categories,
    read_index,
    read_labels,
)
from gapnet.data.record_table import UNKNOWN
from gapnet.data.records import Record, Records
from gapnet.data.segmented import NO_CONCEPT, Annotation, Concept, Plane
from gapnet.data.sources.without_classes import WithoutClasses
from gapnet.errors import GapnetError, MissingSplitError, reading

IMAGES = "images"
BYTE = 256


@dataclass(frozen=True)
class Broden(WithoutClasses, Reader):
    """Broden, or other data in its layout; the split `all` has every image."""

    kind: ClassVar[str] = "broden"
    title: ClassVar[str] = "Broden's layout"

    def __post_init__(self) -> None:
        """Check the values, and read the tables."""
        super().__post_init__()
        if not (self.root / INDEX).is_file():
            raise GapnetError(
                f"data.root={self.root}: has no {INDEX}; name the folder that has it, such as "
                "broden1_224"
            )
        _ = self.rows, self.numbered

    def records(self, split: str) -> Records:
        """List the images of a split in the order of index.csv."""
        rows = [row for row in self.rows if split in (ALL, row.split)]
        if not rows:
            known = ", ".join(sorted({row.split for row in self.rows} | {ALL}))
            raise MissingSplitError(f"split {split!r}: {INDEX} has no such split; it has: {known}")
        folder = self.root / IMAGES
        records = (Record(row.image, folder / row.image, UNKNOWN, None) for row in rows)
        return Records.of(records, self.root)

    def annotator(self, split: str) -> "BrodenAnnotator":
        """Return what reads the segmentations of a split."""
        rows = {row.image: row for row in self.rows if split in (ALL, row.split)}
        return BrodenAnnotator(self.root, rows, self.numbered)

    @cached_property
    def categories(self) -> list[str]:
        """List the categories."""
        return read_categories(self.root)

    @cached_property
    def rows(self) -> list[Indexed]:
        """List the rows of index.csv."""
        return read_index(self.root, self.categories)

    @cached_property
    def numbered(self) -> list[Concept | None]:
        """List the concepts by their number; None where a number is not used."""
        return read_labels(self.root, self.categories)


@dataclass(frozen=True)
class BrodenAnnotator:
    """Reader of Broden's segmentations; rows by image."""

    root: Path
    rows: Mapping[str, Indexed]
    numbered: Sequence[Concept | None]

    @cached_property
    def concepts(self) -> list[Concept]:
        """List the concepts."""
        return [concept for concept in self.numbered if concept is not None]

    @cached_property
    def _indices(self) -> Plane:
        """Return the index of the concept of each number, and NO_CONCEPT for larger numbers."""
        used = np.array([concept is not None for concept in (*self.numbered, None)])
        return np.where(used, np.cumsum(used) - 1, NO_CONCEPT).astype(np.int16)

    def annotation(self, record: Record) -> Annotation:
        """Read the segmentations of an image."""
        row = self.rows[record.id]
        planes = [self._plane(self.root / IMAGES / name, row.size) for name in row.files]
        stacked = np.array(planes, np.int16).reshape(-1, *row.size)
        whole = self._checked(np.array(row.labels, np.int64), self.root / INDEX)
        return Annotation(row.size, stacked, tuple(whole[whole != NO_CONCEPT].tolist()))

    def _plane(self, path: Path, size: tuple[int, int]) -> Plane:
        with (
            reading(path, "cannot be read as a segmentation", "restore the file"),
            Image.open(path, formats=["PNG"]) as image,
        ):
            pixels = np.asarray(image.convert("RGB"), np.int64)
        if pixels.shape[:2] != size:
            raise GapnetError(
                f"{path}: has {pixels.shape[0]} x {pixels.shape[1]} pixels, and {INDEX} says "
                f"{size[0]} x {size[1]}; restore the file"
            )
        return self._checked(pixels[..., 0] + BYTE * pixels[..., 1], path)

    def _checked(self, numbers: NDArray[np.int64], path: Path) -> Plane:
        """Return the concepts of numbers; a number that no label has is an error."""
        indices: Plane = self._indices[numbers.clip(max=len(self._indices) - 1)]
        unknown = numbers[(indices == NO_CONCEPT) & (numbers != 0)]
        if len(unknown):
            raise GapnetError(
                f"{path}: has label {unknown[0]}, which label.csv does not list; restore the files"
            )
        return indices
