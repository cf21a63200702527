"""COCO's layout: a JSON file of instances per split, and a folder of images.

ROOT/annotations/instances_SPLIT.json    or annotations/SPLIT.json, SPLIT.json, or
ROOT/SPLIT/_annotations.coco.json
ROOT/SPLIT/a.jpg                         or images/SPLIT/a.jpg, images/a.jpg, a.jpg

The classes are the categories of the training split in the order of their numbers. A bbox counts
from the edge of the image: x, y, width, height has the pixels x to x + width - 1. Crowds are left
out.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from gapnet.data.annotated import AnnotatedImages
from gapnet.data.index import fingerprint, folders_in
from gapnet.data.object_reader import ObjectReader
from gapnet.data.readers.coco_objects import read_coco_objects
from gapnet.errors import GapnetError

PREFIX, BESIDE = "instances_", "_annotations.coco.json"


@dataclass(frozen=True)
class Coco(ObjectReader):
    """Images and COCO's JSON files."""

    kind: ClassVar[str] = "coco"

    @property
    def splits(self) -> list[str]:
        """List the splits on the disk."""
        return list(self._files)

    def state(self, split: str) -> str:
        """Return a digest of the file of a split, and of where its images are."""
        return fingerprint(files=[self._files[split]], folders=[self.root, self.root / "images"])

    def read(self, split: str) -> AnnotatedImages:
        """Read the file of a split."""
        content = read_coco_objects(self._files[split])
        folder = self._folder(split, [image.id for image in content.images])
        images = (image._replace(id=folder + image.id) for image in content.images)
        return AnnotatedImages.of(images, self.root, classes=content.categories)

    def _folder(self, split: str, names: list[str]) -> str:
        """Return the folder of the images, relative to the root, with a slash if it is another."""
        if not names:
            raise GapnetError(f"{self._files[split]}: lists no image; correct it")
        folders = [f"{split}/", f"images/{split}/", "images/", ""]
        for folder in folders:
            if (self.root / folder / names[0]).is_file():
                return folder
        tried = ", ".join(folder or "." for folder in folders)
        raise GapnetError(
            f"{self._files[split]}: lists {names[0]!r}, which is in none of {tried} in "
            f"{self.root}; put the images there"
        )

    @cached_property
    def _files(self) -> dict[str, Path]:
        """Return the JSON file of each split."""
        files: dict[str, Path] = {}
        for folder in (self.root, self.root / "annotations"):
            paths = sorted(folder.glob(f"{PREFIX}*.json")) or sorted(folder.glob("*.json"))
            files |= {path.stem.removeprefix(PREFIX): path for path in paths}
        beside = {folder.name: folder / BESIDE for folder in folders_in(self.root)}
        files |= {name: path for name, path in beside.items() if path.is_file()}
        if not files:
            raise GapnetError(
                f"data.root={self.root}: has no annotations/{PREFIX}SPLIT.json, SPLIT.json or "
                f"SPLIT/{BESIDE}; name the folder that holds them"
            )
        return files
