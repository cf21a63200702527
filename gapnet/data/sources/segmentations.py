"""Images with a segmentation each: PNG files whose grey or palette index is the concept's number.

ROOT/JPEGImages/a.jpg, ROOT/SegmentationClass/a.png, ROOT/ImageSets/Segmentation/SPLIT.txt
    as in Pascal VOC
ROOT/images/SPLIT/a.jpg, ROOT/annotations/SPLIT/a.png, ROOT/objectInfo150.txt
    as in ADE20K's benchmark of 150 concepts

0 is no concept, and neither is VOC's 255, the edges of objects. Other data in one of these layouts
needs a file of names, with lines `number name`.
"""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
from PIL import Image

from gapnet.data.image_folder import images_by_stem
from gapnet.data.options import Reader
from gapnet.data.readers.annotations import is_whole, read_lines
from gapnet.data.readers.image_sizes import header_size
from gapnet.data.record_table import UNKNOWN
from gapnet.data.records import Record, Records
from gapnet.data.segmented import NO_CONCEPT, Annotation, Concept, Plane
from gapnet.data.sources.without_classes import WithoutClasses
from gapnet.errors import GapnetError, MissingSplitError, reading

LISTS, ADE_NAMES = Path("ImageSets", "Segmentation"), "objectInfo150.txt"
VOID = 255  # in VOC: edges of objects, and difficult pixels
NUMBERS = 256  # that a PNG file of one byte per pixel can have
VOC_NAMES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa"),
    *("train", "tvmonitor"),
)


class SplitFolders(NamedTuple):
    """Where the images and segmentations of a split are; None lists all images of the folder."""

    images: Path
    segmentations: Path
    listing: Path | None = None


@dataclass(frozen=True)
class Segmentations(WithoutClasses, Reader):
    """Images with segmentations, in the layout of Pascal VOC or ADE20K.

    Args:
        names: a file with lines `number name`; None takes those of the layout.
        category: of all concepts.
    """

    _: KW_ONLY
    names: Path | None = None
    category: str = "object"

    kind: ClassVar[str] = "segmentations"

    def __post_init__(self) -> None:
        """Check the values, and read the names."""
        super().__post_init__()
        self.set_fields(names=None if self.names is None else Path(self.names))
        _ = self.numbered

    @property
    def title(self) -> str:
        """Return the name of the folder."""
        return f"{self.root.resolve().name} (segmentations)"

    @cached_property
    def numbered(self) -> dict[int, str]:
        """Names of the concepts by number."""
        if self.names is not None:
            return _read_names(self.names)
        if (self.root / ADE_NAMES).is_file():
            return _read_ade_names(self.root / ADE_NAMES)
        if (self.root / LISTS).is_dir():
            return dict(enumerate(VOC_NAMES, start=1))
        raise GapnetError(
            f"data.root={self.root}: has neither {LISTS} nor {ADE_NAMES}; name another folder, or "
            "a file of names with data.names=FILE (lines `number name`)"
        )

    def records(self, split: str) -> Records:
        """List the images of a split."""
        folders = self._folders(split)
        paths = images_by_stem(folders.images)
        names = read_lines(folders.listing) if folders.listing else list(paths)
        for name in names:
            if name not in paths:
                raise GapnetError(
                    f"{folders.listing}: lists {name!r}, but {folders.images} has no such image; "
                    "restore it, or correct the list"
                )
        return Records.of((Record(name, paths[name], UNKNOWN, None) for name in names), self.root)

    def annotator(self, split: str) -> "SegmentationAnnotator":
        """Return what reads the segmentations of a split."""
        return SegmentationAnnotator(
            self._folders(split).segmentations, self.numbered, self.category
        )

    def _folders(self, split: str) -> SplitFolders:
        listing = self.root / LISTS / f"{split}.txt"
        if (self.root / LISTS).is_dir():
            folders = SplitFolders(
                self.root / "JPEGImages", self.root / "SegmentationClass", listing
            )
        else:
            folders = SplitFolders(self.root / "images" / split, self.root / "annotations" / split)
        for path in filter(None, folders):
            if not path.exists():
                raise MissingSplitError(
                    f"split {split!r}: {path} does not exist; choose another split, or restore it"
                )
        return folders


@dataclass(frozen=True)
class SegmentationAnnotator:
    """Reader of the segmentations in a folder."""

    folder: Path
    numbered: Mapping[int, str]
    category: str

    @property
    def concepts(self) -> list[Concept]:
        """List the concepts."""
        return [Concept(name, self.category) for name in self.numbered.values()]

    @cached_property
    def _indices(self) -> Plane:
        indices = np.full(NUMBERS, NO_CONCEPT, np.int16)
        indices[list(self.numbered)] = np.arange(len(self.numbered))
        return indices

    def annotation(self, record: Record) -> Annotation:
        """Read the segmentation of an image, which must have the image's size."""
        path = self.folder / f"{record.id}.png"
        with (
            reading(path, "cannot be read as a segmentation", "restore the file"),
            Image.open(path, formats=["PNG"]) as image,
        ):
            numbers = np.asarray(image if image.mode == "P" else image.convert("L"))
        size = (numbers.shape[0], numbers.shape[1])
        expected = header_size(record.path, exif=False)
        if size != expected:
            raise GapnetError(
                f"{path}: has {size[0]} x {size[1]} pixels, and its image {expected[0]} x "
                f"{expected[1]}; restore the file"
            )
        plane = self._indices[numbers]
        unknown = numbers[(plane == NO_CONCEPT) & (numbers != 0) & (numbers != VOID)]
        if len(unknown):
            raise GapnetError(
                f"{path}: has label {unknown[0]}, which has no name; add it to data.names=FILE"
            )
        return Annotation(size, plane[None])


def _read_names(path: Path) -> dict[int, str]:
    numbered: dict[int, str] = {}
    for line in read_lines(path):
        number, _, name = line.replace("\t", " ").partition(" ")
        if not (is_whole(number) and 0 < int(number) < VOID and name.strip()):
            raise GapnetError(
                f"{path}: line {line!r} must be `number name`, with a number from 1 to 254; "
                "correct it"
            )
        numbered[int(number)] = name.strip()
    return numbered


def _read_ade_names(path: Path) -> dict[int, str]:
    """Read ADE20K's table: a header, then lines of number, ratio, counts, stuff and names."""
    numbered = {}
    for line in read_lines(path)[1:]:
        number, *_, names = line.split("\t")
        if not is_whole(number):
            raise GapnetError(f"{path}: line {line!r} must begin with a number; restore the file")
        numbered[int(number)] = names.partition(",")[0].partition(";")[0].strip()
    return numbered
