"""Images with one XML file each in VOC's format; an image and its XML file have the same name.

ROOT/JPEGImages/a.jpg, ROOT/Annotations/a.xml, ROOT/ImageSets/Main/SPLIT.txt    as in Pascal VOC
ROOT/images/SPLIT/a.jpg, ROOT/annotations/SPLIT/a.xml
ROOT/SPLIT/a.jpg, ROOT/SPLIT/a.xml
ROOT/images/a.jpg, ROOT/annotations/a.xml    not divided: the one split is `all`

The folders may be called JPEGImages or images, and Annotations or annotations. The classes are the
sorted names of the objects.
"""

import logging
from dataclasses import KW_ONLY, dataclass
from functools import cached_property, reduce
from operator import add
from pathlib import Path
from typing import ClassVar, NamedTuple

from gapnet.data.annotated import AnnotatedImage, AnnotatedImages
from gapnet.data.first_pixel import counted_from_0, evidence_of, guess_first_pixel
from gapnet.data.image_folder import images_by_stem
from gapnet.data.index import fingerprint, folders_in, parallel_map
from gapnet.data.object_reader import ObjectReader
from gapnet.data.options import ALL
from gapnet.data.readers.annotations import read_lines, read_voc_objects
from gapnet.errors import GapnetError
from gapnet.system.value_checks import one_of

IMAGES, ANNOTATIONS = ("JPEGImages", "images"), ("Annotations", "annotations")
LISTS = Path("ImageSets", "Main")
log = logging.getLogger(__name__)


class SplitFiles(NamedTuple):
    """The folders of images and annotations of a split, and the file that lists its images."""

    images: Path
    annotations: Path
    listing: Path | None = None


@dataclass(frozen=True)
class Voc(ObjectReader):
    """Images and VOC-style XML files.

    Args:
        first_pixel: number of the first pixel in the annotations, 0 or 1; by default it is guessed
            from all boxes, and logged.
    """

    _: KW_ONLY
    first_pixel: int | None = None

    kind: ClassVar[str] = "voc"

    def __post_init__(self) -> None:
        """Check the values, and find the classes."""
        one_of("data.first_pixel", self.first_pixel, (0, 1), optional=True)
        super().__post_init__()

    @property
    def splits(self) -> list[str]:
        """List the splits on the disk."""
        return list(self._splits)

    def images(self, split: str) -> AnnotatedImages:
        """List the annotated images of a split; pixels count from 0."""
        return counted_from_0(self.indexed(split), self._first_pixel)

    def state(self, split: str) -> str:
        """Return a digest of the files of a split."""
        split_files = self._splits[split]
        folders = {split_files.images: None, split_files.annotations: None}
        return fingerprint(
            files=[split_files.listing] if split_files.listing else [], contents=folders
        )

    def read(self, split: str) -> AnnotatedImages:
        """Read the XML files of a split; coordinates are as in the files."""
        split_files = self._splits[split]
        paths = images_by_stem(split_files.images)
        names = read_lines(split_files.listing) if split_files.listing else list(paths)
        for name in names:
            if name not in paths:
                raise GapnetError(
                    f"{split_files.listing}: lists {name!r}, but {split_files.images} has no "
                    "such image; restore it, or correct the list"
                )
        files = [split_files.annotations / f"{name}.xml" for name in names]
        content = parallel_map(read_voc_objects, files, f"reading annotations of {split}")
        images = (
            AnnotatedImage(paths[name].relative_to(self.root).as_posix(), objects, size)
            for name, (objects, size) in zip(names, content, strict=True)
        )
        return AnnotatedImages.of(images, self.root)

    @cached_property
    def _first_pixel(self) -> int:
        if self.first_pixel is not None:
            return self.first_pixel
        used = {self.train_split, self.select_split, self.test_split, ALL}
        evidence = [evidence_of(self.indexed(split)) for split in self.splits if split in used]
        first, reason = guess_first_pixel(reduce(add, evidence))
        text = "%s: pixels count from %d (%s); data.first_pixel=%d would change that"
        log.info(text, self.root, first, reason, 1 - first)
        return first

    @cached_property
    def _splits(self) -> dict[str, SplitFiles]:
        """Folders of each split on the disk."""
        splits = _find_splits(self.root)
        if not splits:
            raise GapnetError(
                f"data.root={self.root}: has neither images/ and annotations/ nor folders of "
                "images with XML files; name the folder that holds them, such as VOC2012"
            )
        return splits


def _find_splits(root: Path) -> dict[str, SplitFiles]:
    images = next((root / name for name in IMAGES if (root / name).is_dir()), None)
    annotations = next((root / name for name in ANNOTATIONS if (root / name).is_dir()), None)
    if images is None or annotations is None:
        folders = filter(_has_xml, folders_in(root))
        return {folder.name: SplitFiles(folder, folder) for folder in folders}
    if (root / LISTS).is_dir():
        return {name: SplitFiles(images, annotations, path) for name, path in _lists(root).items()}
    pairs = [(folder, annotations / folder.name) for folder in folders_in(images)]
    splits = {one.name: SplitFiles(one, other) for one, other in pairs if other.is_dir()}
    return splits or {ALL: SplitFiles(images, annotations)}


def _lists(root: Path) -> dict[str, Path]:
    """Return the lists of splits, without those of single classes, such as aeroplane_train.txt."""
    paths = {path.stem: path for path in sorted((root / LISTS).glob("*.txt"))}
    return {
        name: path
        for name, path in paths.items()
        if "_" not in name or name.rpartition("_")[2] not in paths
    }


def _has_xml(folder: Path) -> bool:
    return next(folder.glob("*.xml"), None) is not None
