"""Images of one's own, in folders.

ROOT/SPLIT/CLASS/IMAGE    such as train/cat/a.jpg
ROOT/SPLIT/IMAGE          of a split that is not trained on: images whose class nobody tells
ROOT/classes.txt          a line per class, `id name`: not needed; the id is the folder's name

The class index counts the sorted names of the training split's folders (without a training split,
of the test split's), or the sorted ids of classes.txt, which may name more than there are folders.
"""

import os
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path

from gapnet.data.readers.annotations import read_lines
from gapnet.data.readers.box_files import BoxFile
from gapnet.data.record_table import UNKNOWN
from gapnet.data.records import Record, Records
from gapnet.data.sample import OnCorrupt, Reading
from gapnet.errors import GapnetError

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".ppm"}  # or in capitals
CLASSES = "classes.txt"


class Folder:
    """Read a tree of images; boxes come from a file, or from a folder of files, beside them."""

    def __init__(
        self,
        root: str | Path,
        *,
        boxes: str | Path | None = None,
        exif: bool = False,
        held_out: float = 0.1,
        train_split: str = "train",
        select_split: str = "val",
        test_split: str = "test",
        on_corrupt: OnCorrupt = "raise",
        max_corrupt: int = 100,
    ) -> None:
        """Find the classes under `root`.

        Args:
            root: holds a folder per split.
            boxes: a .csv, a .json of COCO's or a folder of XML files; see readers/box_files.py.
            exif: whether photographs are turned as their camera says; boxes are then of the turned
                pixels.
            held_out: where `select_split` has no folder, it is so much of each class's training
                images: a share below 1, or from 1 on a number; 0 holds nothing out.
            train_split: is trained on.
            select_split: chooses checkpoints and thresholds.
            test_split: is reported.
            on_corrupt: raise or skip; see `Reading`.
            max_corrupt: how many files may be skipped.
        """
        self.reading = Reading(on_corrupt, max_corrupt, exif)
        self.root, self.title = Path(root), Path(root).resolve().name
        if not self.root.is_dir():
            raise GapnetError(f"data.root={root}: no such folder; it should hold one per split")
        self.train_split, self.select_split, self.test_split = train_split, select_split, test_split
        self.held_out = checked_share(held_out)
        names = self._names()
        self.classes, self.class_names = sorted(names), [names[each] for each in sorted(names)]
        self._boxes = None if boxes is None else BoxFile(Path(boxes), self.root)

    def records(self, split: str) -> Records:
        """List the images of a split, sorted by class and name."""
        records = self._listed(self._folder(split))
        if self._takes_from_train(self.select_split) and split in {
            self.train_split,
            self.select_split,
        }:
            held = hold_out(records, self.held_out, self.classes)
            records = [each for each in records if (each.id in held) == (split != self.train_split)]
        return Records.of(self._with_boxes(records, split), self.root)

    def _takes_from_train(self, split: str) -> bool:
        """Tell whether a split is held out of the training split, for want of a folder."""
        return (
            split == self.select_split
            and split not in {self.train_split, self.test_split}
            and self.held_out > 0
            and not (self.root / split).is_dir()
            and (self.root / self.train_split).is_dir()
        )

    def _folder(self, split: str) -> Path:
        folder = self.root / (self.train_split if self._takes_from_train(split) else split)
        if not folder.is_dir():
            found = ", ".join(sorted(each.name for each in self.root.iterdir() if each.is_dir()))
            raise GapnetError(
                f"split {split!r} has no folder in {self.root}; found are: {found or 'none'}; "
                "name them with data.train_split=..., data.select_split=... and data.test_split=..."
            )
        return folder

    def _names(self) -> dict[str, str]:
        """Name the classes, by id."""
        path = self.root / CLASSES
        if path.exists():
            return read_class_names(path)
        splits = [self.root / self.train_split, self.root / self.test_split]
        folders = next((_inside(each)[0] for each in splits if each.is_dir()), [])
        if not folders:
            raise GapnetError(
                f"data.root={self.root}: has no folder per class in {self.train_split!r} (or, "
                f"without it, in {self.test_split!r}); make them, or list the classes in {path}"
            )
        return {each.name: each.name for each in folders}

    def _listed(self, folder: Path) -> list[Record]:
        classes, flat = _inside(folder)
        if bool(classes) == bool(flat):
            what = "both images and class folders" if flat else "neither images nor class folders"
            raise GapnetError(f"{folder}: holds {what}; it must have the ones or the others")
        if flat and folder == self.root / self.train_split:
            raise GapnetError(f"{folder}: is trained on and needs a folder per class")
        records = [self._record(path, UNKNOWN) for path in flat]
        for each in classes:
            label = self._label(each)
            records += [self._record(path, label) for path in _class_images(each)]
        return records

    def _label(self, folder: Path) -> int:
        if folder.name not in self.classes:
            raise GapnetError(
                f"{folder}: is not among the {len(self.classes)} classes, which are those of "
                f"{CLASSES} or, without it, of the folders in {self.train_split!r}"
            )
        return self.classes.index(folder.name)

    def _record(self, path: Path, label: int) -> Record:
        return Record(path.relative_to(self.root).as_posix(), path, label, None)

    def _with_boxes(self, records: list[Record], split: str) -> list[Record]:
        """Look up all boxes: each image of a split has some, or none has."""
        if self._boxes is None:
            return records
        ids = [None if each.label == UNKNOWN else self.classes[each.label] for each in records]
        boxes = [self._boxes.boxes(each.id, own) for each, own in zip(records, ids, strict=True)]
        without = [each.id for each, own in zip(records, boxes, strict=True) if own is None]
        if 0 < len(without) < len(records):
            raise GapnetError(
                f"{self._boxes.path}: has no box for {without[0]}, one of {len(without)} images of "
                f"split {split!r} without; draw them, or take all boxes of the split away"
            )
        return [each._replace(boxes=own) for each, own in zip(records, boxes, strict=True)]


def checked_share(held_out: float) -> float:
    """Refuse what is neither a share nor a number."""
    is_number = isinstance(held_out, int | float) and not isinstance(held_out, bool)
    if not (is_number and (0 <= held_out < 1 or (held_out > 0 and float(held_out).is_integer()))):
        raise GapnetError(
            f"data.held_out={held_out}: must be a share of a class from 0 to below 1, "
            "or a whole number of its images"
        )
    return held_out


def hold_out(records: Iterable[Record], held_out: float, classes: Sequence[str]) -> set[str]:
    """Choose images of each class, the same ones whenever and wherever.

    They are those with the smallest SHA-256 of their ids: neither the order of the images nor what
    else is in the data set has a say.

    Args:
        records: all images to choose from.
        held_out: a share below 1, at least one image and rounded; from 1 on a number.
        classes: ids, to name one in an error.

    Returns:
        The ids of the chosen.
    """
    by_label: dict[int, list[str]] = {}
    for record in records:
        by_label.setdefault(record.label, []).append(record.id)
    chosen: set[str] = set()
    for label, ids in by_label.items():
        count = int(held_out) if held_out >= 1 else max(1, round(held_out * len(ids)))
        if held_out and count >= len(ids):
            raise GapnetError(
                f"data.held_out={held_out}: would leave no training image of class "
                f"{classes[label]!r}, which has {len(ids)}; hold out fewer, "
                "or name another split with data.select_split=..."
            )
        ids.sort(key=lambda each: sha256(each.encode()).digest())
        chosen.update(ids[: count if held_out else 0])
    return chosen


def read_class_names(path: Path) -> dict[str, str]:
    """Read `id name` lines, in their order; without a name, the id is the name."""
    pairs = [line.partition(" ") for line in read_lines(path)]
    names = {class_id: name.strip() or class_id for class_id, _, name in pairs}
    if len(names) != len(pairs):
        raise GapnetError(f"{path}: {len(pairs) - len(names)} class ids are listed twice")
    return names


def _inside(folder: Path) -> tuple[list[Path], list[Path]]:
    """List the folders and the images in a folder by name; hidden ones do not count."""
    with os.scandir(folder) as entries:  # it knows folders without asking the disk for each
        visible = [each for each in entries if not each.name.startswith(".")]
    folders = sorted(Path(each) for each in visible if each.is_dir())
    images = [Path(each) for each in visible if not each.is_dir()]
    return folders, sorted(each for each in images if each.suffix.lower() in SUFFIXES)


def _class_images(folder: Path) -> list[Path]:
    deeper, images = _inside(folder)
    if deeper:
        raise GapnetError(f"{deeper[0]}: is a folder where images of a class are expected")
    if not images:
        raise GapnetError(f"{folder}: holds no image; remove it, or fill it")
    return images
