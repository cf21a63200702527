"""Images in folders.

ROOT/SPLIT/CLASS/IMAGE    such as train/cat/a.jpg
ROOT/SPLIT/IMAGE          in a split that is not trained on: images of unknown class
ROOT/CLASS/IMAGE          not divided: the one split is `all`
ROOT/classes.txt          optional, a line per class: `id name`; the id is the folder's name

The class index counts the sorted names of the training split's folders (without a training split,
of the test split's), or the sorted ids of classes.txt, which may name more than there are folders.
"""

from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from gapnet.data.held_out import hold_out
from gapnet.data.image_folder import folders_and_images
from gapnet.data.options import ALL
from gapnet.data.own_images import OwnImages
from gapnet.data.readers.annotations import read_lines
from gapnet.data.readers.box_files import BoxFile
from gapnet.data.record_table import UNKNOWN
from gapnet.data.records import Record, Records
from gapnet.errors import GapnetError, MissingSplitError
from gapnet.system.value_checks import one_of

CLASSES = "classes.txt"


@dataclass(frozen=True)
class Folder(OwnImages):
    """A tree of images; boxes come from a file, or from a folder of files, beside them.

    Args:
        root: holds a folder per split.
        boxes: a .csv, a COCO .json or a folder of XML files; see readers/box_files.py.
        first_pixel: what a .csv or XML files call the first pixel of an image, 0 or 1.
    """

    _: KW_ONLY
    boxes: Path | None = None
    first_pixel: int = 0

    kind: ClassVar[str] = "folder"

    def __post_init__(self) -> None:
        """Check the values, and find the classes and boxes."""
        super().__post_init__()
        one_of("data.first_pixel", self.first_pixel, (0, 1))
        _ = self._names, self._box_file  # reads the files, so that errors show now

    @cached_property
    def classes(self) -> list[str]:
        """List the ids of the classes."""
        if self.class_ids is not None:
            return [str(class_id) for class_id in self.class_ids]
        return sorted(self._names)

    @cached_property
    def class_names(self) -> list[str]:
        """List the names of the classes."""
        return [self._names.get(class_id, class_id) for class_id in self.classes]

    def records(self, split: str) -> Records:
        """List the images of a split, sorted by class and name."""
        records = self._listed(self._folder(split), trained=split == self.train_split)
        if self._is_held_out(self.select_split) and split in (self.train_split, self.select_split):
            images = ((record.id, record.label) for record in records)
            held = hold_out(images, self.held_out, classes=self.classes)
            selects = split == self.select_split
            records = [record for record in records if (record.id in held) == selects]
        return Records.of(self._with_boxes(records, split), self.root)

    def _is_held_out(self, split: str) -> bool:
        """Return whether a split has no folder and is held out of the training split."""
        return (
            split == self.select_split
            and split != self.train_split
            and self.held_out > 0
            and self._folder_of(split) is None
            and self._folder_of(self.train_split) is not None
        )

    def _folder(self, split: str) -> Path:
        folder = self._folder_of(self.train_split if self._is_held_out(split) else split)
        if folder is None:
            raise self._missing(split)
        return folder

    def _folder_of(self, split: str) -> Path | None:
        """Return the folder of a split; None if it has none."""
        if (self.root / split).is_dir():
            return self.root / split
        whole = {ALL} if self.train_split == ALL else {ALL, self.test_split}
        return self.root if split in whole and self._is_undivided else None

    @cached_property
    def _is_undivided(self) -> bool:
        """Return whether the root has folders of images, and none of a split."""
        used = (self.train_split, self.select_split, self.test_split)
        if any((self.root / split).is_dir() for split in used):
            return False
        folders, images = folders_and_images(self.root)
        return bool(images) or any(folders_and_images(folder)[1] for folder in folders)

    def _missing(self, split: str) -> MissingSplitError:
        if self._is_undivided:
            return self._undivided(split)
        known = ", ".join(sorted(path.name for path in self.root.iterdir() if path.is_dir()))
        return MissingSplitError(
            f"split {split!r} has no folder in {self.root}; its folders are: "
            f"{known or 'none'}; name the splits with data.train_split=..., "
            "data.select_split=... and data.test_split=..."
        )

    @cached_property
    def _box_file(self) -> BoxFile | None:
        if self.boxes is None:
            return None
        return BoxFile(Path(self.boxes), self.root, first_pixel=self.first_pixel)

    @cached_property
    def _names(self) -> dict[str, str]:
        """Names of the classes, by id."""
        path = self.root / CLASSES
        if path.exists():
            return read_class_names(path)
        splits = filter(None, map(self._folder_of, (self.train_split, self.test_split)))
        folders = next((folders_and_images(split)[0] for split in splits), [])
        if not folders and self.class_ids is None:
            raise GapnetError(
                f"data.root={self.root}: has no class folders in {self.train_split!r} (or, if that "
                f"does not exist, in {self.test_split!r}); make a folder for each class, or list "
                f"the classes in {path}"
            )
        return {folder.name: folder.name for folder in folders}

    def _listed(self, folder: Path, *, trained: bool) -> list[Record]:
        classes, flat = folders_and_images(folder)
        if bool(classes) == bool(flat):
            what = "both images and class folders" if flat else "neither images nor class folders"
            raise GapnetError(f"{folder}: has {what}; it must have only one of them")
        if flat and trained:
            raise GapnetError(
                f"{folder}: has no class folders; to train on it, make a folder for each class"
            )
        records = [self._record(path, UNKNOWN) for path in flat]
        for class_folder in classes:
            label = self._label(class_folder)
            records += [self._record(path, label) for path in _class_images(class_folder)]
        return records

    def _label(self, folder: Path) -> int:
        if folder.name not in self.classes:
            raise GapnetError(
                f"{folder}: is not among the {len(self.classes)} classes, which are those of the "
                f"network or data.class_ids, of {CLASSES}, or of the folders in "
                f"{self.train_split!r}; rename or remove it"
            )
        return self.classes.index(folder.name)

    def _record(self, path: Path, label: int) -> Record:
        return Record(path.relative_to(self.root).as_posix(), path, label, None)

    def _with_boxes(self, records: list[Record], split: str) -> list[Record]:
        """Look up the boxes; either every image of a class has some, or none has."""
        box_file = self._box_file
        if box_file is None:
            return records
        boxes = [box_file.boxes(record.id, self._class_id(record.label)) for record in records]
        pairs = list(zip(records, boxes, strict=True))
        boxed = {record.label for record, own in pairs if own is not None}
        without = [record.id for record, own in pairs if own is None and record.label in boxed]
        if without:
            raise GapnetError(
                f"{box_file.path}: has no box for {without[0]}, one of {len(without)} images "
                f"without boxes in split {split!r}, although others of their classes have boxes; "
                "add boxes to them, or remove all boxes of their classes"
            )
        return [record._replace(boxes=own) for record, own in pairs]

    def _class_id(self, label: int) -> str | None:
        return None if label == UNKNOWN else self.classes[label]


def read_class_names(path: Path) -> dict[str, str]:
    """Read `id name` lines, in their order; without a name, the id is the name."""
    pairs = [line.partition(" ") for line in read_lines(path)]
    names = {class_id: name.strip() or class_id for class_id, _, name in pairs}
    if len(names) != len(pairs):
        raise GapnetError(
            f"{path}: {len(pairs) - len(names)} class ids are listed twice; every id must be unique"
        )
    return names


def _class_images(folder: Path) -> list[Path]:
    deeper, images = folders_and_images(folder)
    if deeper:
        raise GapnetError(f"{deeper[0]}: is a folder; a class folder must have images only")
    if not images:
        raise GapnetError(f"{folder}: has no image; remove it, or put images there")
    return images
