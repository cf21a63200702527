"""CUB-200-2011, the birds of Caltech and UCSD, as it is unpacked.

ROOT/classes.txt               `id name`, such as 1 001.Black_footed_Albatross
ROOT/images.txt                `id path`, such as 1 001.Black_footed_Albatross/Black_Footed_0046.jpg
ROOT/image_class_labels.txt    `id class`
ROOT/train_test_split.txt      `id is_training`, 1 or 0
ROOT/bounding_boxes.txt        `id x y width height`
ROOT/images/PATH

A box's x and y count from 0, and x + width is the edge behind its last pixel: image 272, of 500 x
375 pixels, has 0 0 500 375. In inclusive pixels that is x, y, x + width - 1, y + height - 1. (A few
boxes count from 1, and so end one pixel beyond. wsolevaluation takes x + width for the last pixel.)
"""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import torch

from gapnet.data.readers.annotations import read_lines
from gapnet.data.readers.box_files import edges_to_pixels
from gapnet.data.records import Record, Records
from gapnet.data.sample import OnCorrupt, Reading
from gapnet.data.sources.folder import hold_out
from gapnet.errors import GapnetError

IMAGES, CLASSES = 11_788, 200  # of the full data set
NAMES, PATHS, LABELS, SIDES, BOXES = (
    "classes.txt",
    "images.txt",
    "image_class_labels.txt",
    "train_test_split.txt",
    "bounding_boxes.txt",
)
SPLITS = {"1": "train", "0": "test"}  # as train_test_split.txt has them
HELD_OUT = "val"


class Cub:
    """Read CUB's text files. Its splits are train, test, and a val that is held out of train.

    The held-out images choose thresholds and checkpoints, so that the test images do not; what is
    trained on has so many fewer.
    """

    def __init__(
        self,
        root: str | Path,
        *,
        held_out: int = 5,
        train_split: str = "train",
        select_split: str = HELD_OUT,
        test_split: str = "test",
        on_corrupt: OnCorrupt = "raise",
        max_corrupt: int = 100,
    ) -> None:
        """Read the text files under `root`.

        Args:
            root: the folder that holds images.txt and images/.
            held_out: how many training images of each class are `val` and not `train`, always the
                same ones; with 0 there is no `val`, and `select_split` must name another.
            train_split: is trained on.
            select_split: chooses checkpoints and thresholds.
            test_split: is reported.
            on_corrupt: raise or skip; see `Reading`.
            max_corrupt: how many files may be skipped.
        """
        self.reading = Reading(on_corrupt, max_corrupt)
        self.root = Path(root)
        self.train_split, self.select_split, self.test_split = train_split, select_split, test_split
        _check_held_out(held_out, select_split)
        _check_layout(self.root)
        folders = self._table(NAMES)
        self.classes = list(folders.values())
        self.class_names = [_in_words(each) for each in self.classes]
        self._splits = self._read(folders)
        full = sum(map(len, self._splits.values())) == IMAGES and len(self.classes) == CLASSES
        self.title = "CUB-200-2011" if full else f"{self.root.resolve().name} (CUB's layout)"
        if held_out:
            self._hold_out(held_out)

    def records(self, split: str) -> Records:
        """List the images of a split in the order of images.txt."""
        if not self._splits.get(split):
            found = ", ".join(name for name, records in self._splits.items() if records)
            raise GapnetError(f"split {split!r} has no images in {self.root}; found are: {found}")
        return Records.of(self._splits[split], self.root)

    def _hold_out(self, count: int) -> None:
        train = self._splits["train"]
        held = hold_out(train, count, self.classes)
        self._splits["train"] = [each for each in train if each.id not in held]
        self._splits[HELD_OUT] = [each for each in train if each.id in held]

    def _read(self, folders: dict[str, str]) -> dict[str, list[Record]]:
        """Join the text files to records, by the name of their split."""
        paths, labels, sides, boxes = (self._table(file) for file in (PATHS, LABELS, SIDES, BOXES))
        for file, table in ((LABELS, labels), (SIDES, sides), (BOXES, boxes)):
            _check_ids(paths, table, self.root / file)
        index = {folder: label for label, folder in enumerate(self.classes)}
        splits: dict[str, list[Record]] = {split: [] for split in SPLITS.values()}
        for number, path in paths.items():
            self._check_label(number, path, folders.get(labels[number]))
            label = index[PurePosixPath(path).parent.name]
            box = edges_to_pixels(boxes[number].split(), f"{self.root / BOXES}: image {number}")
            splits[self._side(number, sides[number])].append(self._record(path, label, box))
        return splits

    def _table(self, file: str) -> dict[str, str]:
        """Read lines of an id and a value; ids never come twice, nor do paths and names."""
        path = self.root / file
        rows = [line.split(maxsplit=1) for line in read_lines(path)]
        short = next((row for row in rows if len(row) == 1), None)
        if short:
            raise GapnetError(f"{path}: the line {short[0]!r} has no value; restore the file")
        table = dict(rows)
        _check_unique([number for number, _ in rows], path)
        if file in {NAMES, PATHS}:
            _check_unique(list(table.values()), path)
        return table

    def _check_label(self, number: str, path: str, folder: str | None) -> None:
        if folder is None:
            raise GapnetError(
                f"{self.root / LABELS}: image {number} has a class that is not among the "
                f"{len(self.classes)} of {NAMES}; restore the files"
            )
        if folder != PurePosixPath(path).parent.name:
            raise GapnetError(
                f"{self.root / LABELS}: image {number} has class {folder}, but its path is {path}; "
                "the files do not belong together"
            )

    def _side(self, number: str, side: str) -> str:
        if side not in SPLITS:
            raise GapnetError(
                f"{self.root / SIDES}: image {number} has {side!r}; must be 1 (train) or 0 (test)"
            )
        return SPLITS[side]

    def _record(self, path: str, label: int, box: list[float]) -> Record:
        boxes = torch.tensor([box], dtype=torch.float32)
        return Record(path, self.root / "images" / path, label, boxes)


def _check_held_out(held_out: int, select_split: str) -> None:
    if isinstance(held_out, bool) or not isinstance(held_out, int) or held_out < 0:
        raise GapnetError(f"data.held_out={held_out}: must be a whole number of images from 0 on")
    if not held_out and select_split == HELD_OUT:
        raise GapnetError(
            f"data.held_out=0: leaves no split {HELD_OUT!r} to choose thresholds on; "
            "hold some out, or name another with data.select_split=..."
        )


def _check_layout(root: Path) -> None:
    missing = [file for file in (NAMES, PATHS, LABELS, SIDES, BOXES) if not (root / file).is_file()]
    if missing:
        raise GapnetError(
            f"data.root={root}: is no CUB-200-2011, it lacks {' and '.join(missing)}; "
            "put the data set there or name its place with data.root=..."
        )


def _check_unique(values: list[str], path: Path) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise GapnetError(f"{path}: {value!r} is listed twice; restore the file")
        seen.add(value)


def _check_ids(images: Iterable[str], table: Iterable[str], path: Path) -> None:
    missing, strange = set(images) - set(table), set(table) - set(images)
    for what, numbers in (("lacks", missing), ("has a line too many, for", strange)):
        if numbers:
            raise GapnetError(
                f"{path}: {what} image {min(numbers)} (one of {len(numbers)}); "
                f"its images must be those of {PATHS}"
            )


def _in_words(folder: str) -> str:
    """Take number and underscores away: 001.Black_footed_Albatross is Black footed Albatross."""
    number, dot, name = folder.partition(".")
    return (name if dot else number).replace("_", " ")
