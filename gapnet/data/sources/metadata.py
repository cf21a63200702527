"""Data sets described as in wsolevaluation (CVPR 2020): CUB, ILSVRC, OpenImages, or another.

METADATA/SPLIT/image_ids.txt          a line per image: its path under ROOT, which is its id
METADATA/SPLIT/image_ids_proxy.txt    optional: fewer of them, to train on for a quick search
METADATA/SPLIT/class_labels.txt       `id,label`; labels count from 0
METADATA/SPLIT/localization.txt       `id,x0,y0,x1,y1`, a line per box, inclusive; or
                                      `id,mask,ignore`, a line per mask, the ignored pixels' file in
                                      an image's first line only. A split without it has neither
METADATA/classes.txt                  optional, not of wsolevaluation: `id name`, a line per label

Their three splits never overlap, and `val` (train-fullsup in the paper) may choose thresholds.
METADATA/SPLIT/image_sizes.txt        optional: `id,width,height`. With it, boxes of other tools
                                      are scored without the images
"""

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import torch

from gapnet.data.options import Reader
from gapnet.data.readers.annotations import is_whole, read_lines
from gapnet.data.readers.box_files import checked_box
from gapnet.data.records import Record, Records
from gapnet.data.sources.folder import read_class_names
from gapnet.errors import GapnetError, MissingSplitError
from gapnet.ops.boxes import LARGEST

CLASSES, LABELS, PLACES = "classes.txt", "class_labels.txt", "localization.txt"
SIZES, SIDES = "image_sizes.txt", 2
BOX_FIELDS, MASK_FIELDS = 5, 3  # of a line in localization.txt


@dataclass(frozen=True)
class Metadata(Reader):
    """A data set described by wsolevaluation's text files.

    Args:
        root: the folder that the paths of images are relative to.
        metadata: the folder that holds a folder of text files per split.
        masks: the folder that the paths of masks are relative to; by default `root`.
        proxy: train on the images that image_ids_proxy.txt lists.
    """

    _: KW_ONLY
    metadata: Path
    masks: Path | None = None
    proxy: bool = False

    kind: ClassVar[str] = "metadata"

    def __post_init__(self) -> None:
        """Check the values and count the classes."""
        super().__post_init__()
        self.set_fields(metadata=Path(self.metadata), masks=Path(self.masks or self.root))
        for name in ("root", "metadata", "masks"):
            if not getattr(self, name).is_dir():
                raise GapnetError(f"data.{name}={getattr(self, name)}: no such folder")
        _ = self._names  # reads the files, so that errors show now

    @property
    def title(self) -> str:
        """Return the name of the metadata's folder."""
        return f"{self.metadata.resolve().name} (wsolevaluation's metadata)"

    @cached_property
    def classes(self) -> list[str]:
        """List the ids of the classes."""
        return list(self._names)

    @cached_property
    def class_names(self) -> list[str]:
        """List the names of the classes."""
        return list(self._names.values())

    def records(self, split: str) -> Records:
        """List the images of a split in the order of image_ids.txt."""
        folder = self._folder(split)
        proxy = self.proxy and split == self.train_split
        path = folder / ("image_ids_proxy.txt" if proxy else "image_ids.txt")
        ids = read_lines(path)
        if len(set(ids)) != len(ids):
            raise GapnetError(f"{path}: lists {len(ids) - len(set(ids))} images twice; correct it")
        labels, places = _labels(folder / LABELS), _places(folder / PLACES)
        _check_ids(ids, labels, folder / LABELS, proxy=proxy)
        if places:
            _check_ids(ids, places, folder / PLACES, proxy=proxy)
        self._check_range(labels, folder / LABELS)
        return Records.of(
            (self._record(id_, labels[id_], places.get(id_, []), folder) for id_ in ids),
            self.root,
        )

    def sizes(self, split: str, ids: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Return (height, width) of the images that image_sizes.txt lists, by id."""
        path, images = self._folder(split) / SIZES, set(ids)
        sizes = {}
        for line in read_lines(path) if path.is_file() else ():
            image, *sides = line.rsplit(",", 2)
            if len(sides) != SIDES or not all(
                is_whole(side) and 0 < int(side) <= LARGEST for side in sides
            ):
                raise GapnetError(
                    f"{path}: line {line!r} must be `id,width,height`, in pixels; correct it"
                )
            if image in images:
                sizes[image] = int(sides[1]), int(sides[0])
        return sizes

    def _record(self, image: str, label: int, places: list[list[str]], folder: Path) -> Record:
        record = Record(image, self.root / image, label, None)
        where = f"{folder / PLACES}: image {image}"
        if not places:
            return record
        if len(places[0]) + 1 == BOX_FIELDS:
            boxes = [checked_box(place, where) for place in places]
            return record._replace(boxes=torch.tensor(boxes, dtype=torch.float32))
        ignore = [name for _, name in places if name]
        if ignore[1:] or not all(mask for mask, _ in places):
            raise GapnetError(
                f"{where}: must name a mask in every line, and the file of ignored "
                "pixels in at most one"
            )
        folder = self.masks or self.root
        masks = tuple(folder / mask for mask, _ in places)
        return record._replace(masks=masks, ignore=folder / ignore[0] if ignore else None)

    def _folder(self, split: str) -> Path:
        folder = self.metadata / split
        if not folder.is_dir():
            known = ", ".join(
                sorted(folder.name for folder in self.metadata.iterdir() if folder.is_dir())
            )
            raise MissingSplitError(
                f"split {split!r} has no folder in {self.metadata}; its folders are: "
                f"{known or 'none'}"
            )
        return folder

    @cached_property
    def _names(self) -> dict[str, str]:
        """Names of the classes by id; without classes.txt, the labels are the names."""
        if (self.metadata / CLASSES).exists():
            return read_class_names(self.metadata / CLASSES)
        trained = (self.metadata / self.train_split).is_dir()
        path = self._folder(self.train_split if trained else self.test_split) / LABELS
        labels = set(_labels(path).values())
        gap = min(set(range(len(labels))) - labels, default=None)
        if gap is not None:
            raise GapnetError(
                f"{path}: labels must count from 0 without a gap, but none is {gap}; correct them, "
                f"or list all classes in {self.metadata / CLASSES}"
            )
        return {str(label): str(label) for label in range(len(labels))}

    def _check_range(self, labels: dict[str, int], path: Path) -> None:
        for image, label in labels.items():
            if label >= len(self.classes):
                raise GapnetError(
                    f"{path}: image {image} has label {label}, but there are "
                    f"{len(self.classes)} classes, from 0 on; correct it"
                )


def _check_ids(ids: list[str], table: Iterable[str], path: Path, *, proxy: bool) -> None:
    """Compare the images of a file with the listed ones; a proxy lists fewer."""
    missing, extra = set(ids) - set(table), set(table) - set(ids)
    if missing:
        raise GapnetError(
            f"{path}: has no line for {min(missing)}, one of {len(missing)} images; add them"
        )
    if extra and not proxy:
        raise GapnetError(
            f"{path}: has a line for {min(extra)}, which image_ids.txt does not list; "
            "restore the files"
        )


def _labels(path: Path) -> dict[str, int]:
    labels: dict[str, int] = {}
    for line in read_lines(path):
        image, _, label = line.rpartition(",")
        if not (image and is_whole(label)):
            raise GapnetError(f"{path}: {line!r} must be an image, a comma, and a label from 0 on")
        if image in labels:
            raise GapnetError(f"{path}: lists {image} twice; correct it")
        labels[image] = int(label)
    return labels


def _places(path: Path) -> dict[str, list[list[str]]]:
    """Read the lines of localization.txt, if there is one: what follows the id, by image."""
    if not path.exists():
        return {}
    rows = [line.split(",") for line in read_lines(path)]
    fields = len(rows[0])
    odd = next((row for row in rows if len(row) != fields), None)
    if odd or fields not in {BOX_FIELDS, MASK_FIELDS}:
        raise GapnetError(
            f"{path}: {','.join(odd or rows[0])!r} must be id,x0,y0,x1,y1, or id,mask,ignore in "
            "all lines"
        )
    places: dict[str, list[list[str]]] = {}
    for image, *place in rows:
        places.setdefault(image, []).append(place)
    return places
