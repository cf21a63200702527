"""Images with an annotation file in VOC's XML format for each; an image has its annotation's name.

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


class Place(NamedTuple):
    """The folders of images and annotations of a split, and the file that lists its images."""

    images: Path
    annotations: Path
    listing: Path | None = None


@dataclass(frozen=True)
class Voc(ObjectReader):
    """Images and VOC-style XML files.

    Args:
        first_pixel: what the annotations call the first pixel of an image, 0 or 1; by default it
            is guessed from all of them, and logged.
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
        return list(self._places)

    def images(self, split: str) -> AnnotatedImages:
        """List the annotated images of a split; pixels count from 0."""
        return counted_from_0(self.indexed(split), self._first_pixel)

    def state(self, split: str) -> str:
        """Return a digest of the files of a split."""
        place = self._places[split]
        folders = {place.images: None, place.annotations: None}
        return fingerprint(files=[place.listing] if place.listing else [], contents=folders)

    def read(self, split: str) -> AnnotatedImages:
        """Read the XML files of a split; coordinates are as in the files."""
        place = self._places[split]
        paths = images_by_stem(place.images)
        names = read_lines(place.listing) if place.listing else list(paths)
        for name in names:
            if name not in paths:
                raise GapnetError(
                    f"{place.listing}: lists {name!r}, but {place.images} has no "
                    "such image; restore it, or correct the list"
                )
        files = [place.annotations / f"{name}.xml" for name in names]
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
    def _places(self) -> dict[str, Place]:
        """Folders of each split on the disk."""
        places = _find_places(self.root)
        if not places:
            raise GapnetError(
                f"data.root={self.root}: has neither images/ and annotations/ nor folders of "
                "images with XML files; name the folder that holds them, such as VOC2012"
            )
        return places


def _find_places(root: Path) -> dict[str, Place]:
    images = next((root / name for name in IMAGES if (root / name).is_dir()), None)
    annotations = next((root / name for name in ANNOTATIONS if (root / name).is_dir()), None)
    if images is None or annotations is None:
        folders = filter(_has_xml, folders_in(root))
        return {folder.name: Place(folder, folder) for folder in folders}
    if (root / LISTS).is_dir():
        return {name: Place(images, annotations, path) for name, path in _lists(root).items()}
    pairs = [(folder, annotations / folder.name) for folder in folders_in(images)]
    places = {one.name: Place(one, other) for one, other in pairs if other.is_dir()}
    return places or {ALL: Place(images, annotations)}


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
