"""YOLO's layout: a text file per image, with a line `class x y width height` per object.

ROOT/images/SPLIT/a.jpg, ROOT/labels/SPLIT/a.txt    or
ROOT/SPLIT/images/a.jpg, ROOT/SPLIT/labels/a.txt    or
ROOT/images/a.jpg, ROOT/labels/a.txt                not divided: the one split is `all`
ROOT/data.yaml                                      `names`: the classes, a list or by number;
                                                    any .yaml, or classes.txt with a name per line

x and y are the centre of the box; all are shares of the image's width and height. A line may also
list the points of a polygon; its bounding box is used. An image without a text file has no object.
"""

from dataclasses import KW_ONLY, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import ClassVar

from gapnet.data.annotated import AnnotatedImages
from gapnet.data.image_folder import images_by_stem
from gapnet.data.index import fingerprint, folders_in, parallel_map
from gapnet.data.object_reader import ObjectReader
from gapnet.data.options import ALL
from gapnet.data.readers.yolo_objects import read_yolo_image, read_yolo_names
from gapnet.errors import GapnetError

IMAGES, LABELS, CLASSES = "images", "labels", "classes.txt"


@dataclass(frozen=True)
class Yolo(ObjectReader):
    """Images and YOLO's text files."""

    _: KW_ONLY
    exif: bool = True  # as YOLO's own loader

    kind: ClassVar[str] = "yolo"

    @property
    def splits(self) -> list[str]:
        """List the splits on the disk."""
        return list(self._places)

    def state(self, split: str) -> str:
        """Return a digest of the files of a split."""
        return fingerprint(files=[self._names_file], contents=self._places[split])

    def read(self, split: str) -> AnnotatedImages:
        """Read the text files of a split, and the sizes of the images."""
        images, labels = self._places[split]
        if next(labels.glob("*.txt"), None) is None:
            raise GapnetError(f"{labels}: has no .txt file; put the labels there")
        names = read_yolo_names(self._names_file)
        files = [
            (path.relative_to(self.root).as_posix(), path, labels / f"{stem}.txt")
            for stem, path in images_by_stem(images).items()
        ]
        read = partial(read_yolo_image, names=names, files=self.reading)
        content = parallel_map(read, files, f"reading labels of {split}")
        return AnnotatedImages.of(content, self.root, classes=names)

    @cached_property
    def _names_file(self) -> Path:
        """Return the file that names the classes."""
        files = [*sorted(self.root.glob("*.yaml")), *sorted(self.root.glob("*.yml"))]
        lists = [self.root / CLASSES, self.root / LABELS / CLASSES]
        files = files or [path for path in lists if path.is_file()]
        if len(files) != 1:
            names = ", ".join(path.name for path in files) or "none"
            raise GapnetError(
                f"data.root={self.root}: must have one data.yaml or {CLASSES} that names the "
                f"classes, and has {names}"
            )
        return files[0]

    @cached_property
    def _places(self) -> dict[str, tuple[Path, Path]]:
        """Return the folders of images and labels of each split."""
        images, labels = self.root / IMAGES, self.root / LABELS
        pairs = {folder.name: (folder, labels / folder.name) for folder in folders_in(images)}
        pairs |= {one.name: (one / IMAGES, one / LABELS) for one in folders_in(self.root)}
        places = {name: pair for name, pair in pairs.items() if all(map(Path.is_dir, pair))}
        if not places and images.is_dir() and labels.is_dir():
            places = {ALL: (images, labels)}
        if not places:
            raise GapnetError(
                f"data.root={self.root}: has neither {IMAGES}/SPLIT and {LABELS}/SPLIT nor "
                f"SPLIT/{IMAGES} and SPLIT/{LABELS}; name the folder that holds them"
            )
        return places
