"""SUN Attribute: photographs of scenes with 102 attributes, several for an image (table 5).

ROOT/attributes.mat                     the names of the attributes
ROOT/images.mat                         the paths of the images: a/abbey/sun_aaa.jpg
ROOT/attributeLabels_continuous.mat     (images, attributes): share of three votes for it
ROOT/images/PATH                        the image

The published split is not a list. A draw takes the images in the order of a SHA-256 of its number
and their paths; the first ones are training images.
"""

from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from gapnet.data.image_folder import check_inside
from gapnet.data.options import Reader
from gapnet.data.record_table import UNKNOWN
from gapnet.data.records import Record, Records
from gapnet.errors import GapnetError, MissingSplitError, reading
from gapnet.system.value_checks import number, whole_number

FILES = ("attributes.mat", "images.mat", "attributeLabels_continuous.mat")
MAJORITY = 0.5  # an image has an attribute for which two of three votes are


@dataclass(frozen=True)
class SunAttribute(Reader):
    """SUN Attribute, as multi-label data.

    Args:
        root: the folder of the data set.
        train: share of the images that are trained on.
        draw: number of the draw.
    """

    _: KW_ONLY
    train: float = 0.5
    draw: int = 0

    kind: ClassVar[str] = "sun_attribute"
    title: ClassVar[str] = "SUN Attribute"

    def __post_init__(self) -> None:
        """Check the values, and read the files."""
        super().__post_init__()
        number("data.train", self.train, above=0, below=1)
        whole_number("data.draw", self.draw)
        if not self.root.is_dir():
            raise GapnetError(f"data.root={self.root}: no such folder; put {self.title} there")
        votes, expected = self._votes, (len(self._paths), len(self.classes))
        if votes.shape != expected:
            raise GapnetError(
                f"{self.root / FILES[2]}: has votes {votes.shape} for {expected[0]} images and "
                f"{expected[1]} attributes; restore the files"
            )

    @cached_property
    def classes(self) -> list[str]:
        """List the attributes."""
        return [str(name) for name in self._read(FILES[0]).ravel()]

    @property
    def class_names(self) -> list[str]:
        """List the attributes."""
        return self.classes

    def records(self, split: str) -> Records:
        """List the images of a split; `label` is their first attribute, unknown without any."""
        count = round(self.train * len(self._paths))
        parts = {self.train_split: slice(count), self.test_split: slice(count, None)}
        if split not in parts:
            raise MissingSplitError(f"split {split!r} is not drawn; choose {', '.join(parts)}")
        order = sorted(range(len(self._paths)), key=lambda row: self._place(self._paths[row]))
        records = [self._record(row) for row in sorted(order[parts[split]])]
        return Records.of(records, self.root)

    def _record(self, row: int) -> Record:
        path, labels = self._paths[row], (self._votes[row] > MAJORITY).nonzero()[0].tolist()
        first = labels[0] if labels else UNKNOWN
        return Record(path, self.root / "images" / path, first, None, labels=tuple(labels))

    def _place(self, path: str) -> bytes:
        return sha256(f"{self.draw}/{path}".encode()).digest()

    @cached_property
    def _paths(self) -> list[str]:
        paths = [str(path).lstrip("/") for path in self._read(FILES[1]).ravel()]
        for path in paths:
            check_inside(path, str(self.root / FILES[1]))
        return paths

    @cached_property
    def _votes(self) -> NDArray[np.float64]:
        with reading(self.root / FILES[2], "has no numbers", "restore the file"):
            votes: NDArray[np.float64] = np.atleast_2d(self._read(FILES[2])).astype(np.float64)
        return votes

    def _read(self, name: str) -> NDArray[np.generic]:
        """Read the only variable of a MATLAB file."""
        path: Path = self.root / name
        with reading(path, "is not a file of SUN Attribute", "restore the file"):
            content = loadmat(str(path), squeeze_me=True)
            (values,) = (value for key, value in content.items() if not key.startswith("__"))
            array: NDArray[np.generic] = np.atleast_1d(values)
        return array
