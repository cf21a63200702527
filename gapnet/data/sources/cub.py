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
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

import torch

from gapnet.data.held_out import hold_out
from gapnet.data.options import Reader
from gapnet.data.readers.annotations import read_lines
from gapnet.data.readers.box_files import edges_to_pixels
from gapnet.data.records import Record, Records
from gapnet.errors import GapnetError, MissingSplitError
from gapnet.system.value_checks import whole_number

TRAIN, TEST, CLASSES = 5_994, 5_794, 200  # of the full data set
IMAGES = TRAIN + TEST
NAMES, PATHS, LABELS, SIDES, BOXES = (
    "classes.txt",
    "images.txt",
    "image_class_labels.txt",
    "train_test_split.txt",
    "bounding_boxes.txt",
)
SPLITS = {"1": "train", "0": "test"}  # as train_test_split.txt has them
HELD_OUT = "val"


@dataclass(frozen=True)
class Cub(Reader):
    """CUB's text files. Its splits are train, test, and a val that is held out of train.

    The held-out images choose thresholds and checkpoints, so that the test images do not.

    Args:
        root: the folder that holds images.txt and images/.
        held_out: number of training images per class that form `val` and are not trained on,
            always the same ones; with 0 there is no `val`, and `select_split` must name another
            split.
    """

    _: KW_ONLY
    held_out: int = 5

    def __post_init__(self) -> None:
        """Check the values and read the text files."""
        super().__post_init__()
        whole_number("data.held_out", self.held_out)
        if not self.held_out and self.select_split == HELD_OUT:
            raise GapnetError(
                f"data.held_out=0: leaves no split {HELD_OUT!r} to choose thresholds on; "
                "hold out some images, or name another split with data.select_split=..."
            )
        _check_layout(self.root)
        _ = self._splits  # reads the files, so that errors show now

    @property
    def title(self) -> str:
        """Return CUB's name only if all of it is there."""
        return "CUB-200-2011" if self._is_full else f"{self.root.resolve().name} (CUB's layout)"

    @property
    def kind(self) -> str:
        """Return "cub", or "cub-layout" if it is another data set or a part of it."""
        return "cub" if self._is_full else "cub-layout"

    @property
    def published_counts(self) -> dict[str, int]:
        """Return the number of images per split of the full data set."""
        if not self._is_full:
            return {}
        held = CLASSES * self.held_out
        counts = {"train": TRAIN - held, HELD_OUT: held, "test": TEST}
        return {split: count for split, count in counts.items() if count}

    @cached_property
    def classes(self) -> list[str]:
        """List the folders of the classes."""
        return list(self._folders.values())

    @cached_property
    def class_names(self) -> list[str]:
        """List the names of the classes."""
        return [_in_words(folder) for folder in self.classes]

    def records(self, split: str) -> Records:
        """List the images of a split in the order of images.txt."""
        if not self._splits.get(split):
            known = ", ".join(name for name, records in self._splits.items() if records)
            raise MissingSplitError(
                f"split {split!r} has no images in {self.root}; the splits are: {known}"
            )
        return Records.of(self._splits[split], self.root)

    @property
    def _is_full(self) -> bool:
        return sum(map(len, self._splits.values())) == IMAGES and len(self.classes) == CLASSES

    @cached_property
    def _folders(self) -> dict[str, str]:
        """Folders of the classes, by the number of the class."""
        return self._table(NAMES)

    @cached_property
    def _splits(self) -> dict[str, list[Record]]:
        """Records by split, with the held-out images in a separate split."""
        splits = self._read()
        if self.held_out:
            train = splits["train"]
            images = ((record.id, record.label) for record in train)
            held = hold_out(images, self.held_out, classes=self.classes)
            splits["train"] = [record for record in train if record.id not in held]
            splits[HELD_OUT] = [record for record in train if record.id in held]
        return splits

    def _read(self) -> dict[str, list[Record]]:
        """Join the text files to records, by the name of their split."""
        paths, labels, sides, boxes = (self._table(file) for file in (PATHS, LABELS, SIDES, BOXES))
        for file, table in ((LABELS, labels), (SIDES, sides), (BOXES, boxes)):
            _check_ids(paths, table, self.root / file)
        index = {folder: label for label, folder in enumerate(self.classes)}
        splits: dict[str, list[Record]] = {split: [] for split in SPLITS.values()}
        for number, path in paths.items():
            self._check_label(number, path, self._folders.get(labels[number]))
            label = index[PurePosixPath(path).parent.name]
            box = edges_to_pixels(boxes[number].split(), f"{self.root / BOXES}: image {number}")
            splits[self._side(number, sides[number])].append(self._record(path, label, box))
        return splits

    def _table(self, file: str) -> dict[str, str]:
        """Read lines of an id and a value; ids, paths and names must be unique."""
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
                "restore the files"
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


def _check_layout(root: Path) -> None:
    missing = [file for file in (NAMES, PATHS, LABELS, SIDES, BOXES) if not (root / file).is_file()]
    if missing:
        raise GapnetError(
            f"data.root={root}: is not CUB-200-2011, it lacks {' and '.join(missing)}; "
            "put the data set there or name its place with data.root=..."
        )


def _check_unique(values: list[str], path: Path) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise GapnetError(f"{path}: {value!r} is listed twice; restore the file")
        seen.add(value)


def _check_ids(images: Iterable[str], table: Iterable[str], path: Path) -> None:
    missing, extra = set(images) - set(table), set(table) - set(images)
    for what, numbers in (("lacks", missing), ("has a line too many, for", extra)):
        if numbers:
            raise GapnetError(
                f"{path}: {what} image {min(numbers)} (one of {len(numbers)}); "
                f"it must have the images of {PATHS}"
            )


def _in_words(folder: str) -> str:
    """Remove number and underscores: 001.Black_footed_Albatross is Black footed Albatross."""
    number, dot, name = folder.partition(".")
    return (name if dot else number).replace("_", " ")
