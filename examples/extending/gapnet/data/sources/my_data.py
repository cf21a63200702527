"""A data set of your own: a CSV file for each split, with a class and a box for each image.

ROOT/train.csv    image,class,x1,y1,x2,y2    such as images/a.jpg,cat,10,20,59,79
"""

import csv
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch

from gapnet.data.options import Reader
from gapnet.data.records import Record, Records
from gapnet.errors import GapnetError, reading

CORNERS = ("x1", "y1", "x2", "y2")


# `Reader` has the options of every data set: root, on_corrupt, max_corrupt, and the names of three
# splits: to train on, to choose checkpoints and thresholds on, and to report metrics of. A
# configuration names the class by its package, `gapnet.data.MyData`, whichever file defines it.
@dataclass(frozen=True)
class MyData(Reader):
    """Data set of CSV files."""

    title: ClassVar[str] = "my data"  # for people, in reports
    kind: ClassVar[str] = "my_data"  # for code

    @cached_property
    def classes(self) -> list[str]:
        """List the ids of the classes; their order is that of their labels."""
        return sorted({row["class"] for row in self._rows(self.train_split)})

    @property
    def class_names(self) -> list[str]:
        """List the names of the classes, for people."""
        return self.classes

    def records(self, split: str) -> Records:
        """List the images of a split, always in the same order."""
        return Records.of([self._record(row) for row in self._rows(split)], self.root)

    def _record(self, row: dict[str, str]) -> Record:
        # Boxes (n, 4) are in pixels of the file, and the last pixel belongs to the box. An image
        # without boxes has None. An id is unique in its split.
        box = torch.tensor([[float(row[corner]) for corner in CORNERS]])
        path = self.root / row["image"]
        return Record(row["image"], path, self.classes.index(row["class"]), box)

    def _rows(self, split: str) -> list[dict[str, str]]:
        path = self.root / f"{split}.csv"
        if not path.is_file():
            raise GapnetError(f"data.root={self.root}: has no {path.name}; name another folder")
        with reading(path, "is not readable CSV"):
            return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
