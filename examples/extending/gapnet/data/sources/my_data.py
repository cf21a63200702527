"""A data set of your own: a CSV file for each split, with a class and a box for each image.

ROOT/train.csv    image,class,x1,y1,x2,y2    such as images/a.jpg,cat,10,20,59,79
"""

import csv
from pathlib import Path

import torch

from gapnet.data.records import Record, Records
from gapnet.data.sample import Reading
from gapnet.errors import GapnetError, reading

CORNERS = ("x1", "y1", "x2", "y2")


# A data set is a class with the attributes and the method of gapnet.data.Source. A configuration
# names it by its package, `gapnet.data.MyData`, whichever file defines it.
class MyData:
    """Data set of CSV files."""

    # The splits: one is trained on, one chooses checkpoints and thresholds, one is reported.
    train_split, select_split, test_split = "train", "val", "test"

    def __init__(self, root: str | Path) -> None:
        """Find the classes; their order is that of their labels."""
        self.root = Path(root)
        self.title = "my data"  # as reports call it
        self.reading = Reading()  # how image files are read; on_corrupt="skip" allows damaged ones
        names = {row["class"] for row in self._rows(self.train_split)}
        self.classes = self.class_names = sorted(names)  # ids, and names for people

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
