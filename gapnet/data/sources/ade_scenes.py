"""The ADE20K scene parsing challenge of 2016: 150 classes of objects.

ROOT/images/{training,validation}/NAME.jpg
ROOT/annotations/{training,validation}/NAME.png    numbers from 1 to 150; 0 is any other object
ROOT/objectInfo150.txt                             a header, and a line for each class
ROOT/sceneCategories.txt                           a line for each image: NAME SCENE
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from gapnet.data.object_masks import ObjectMasks, read_mask
from gapnet.data.readers.annotations import is_whole, read_lines
from gapnet.data.records import Record
from gapnet.data.scene_reader import SceneImage, SceneReader
from gapnet.errors import GapnetError

NAMES, SCENES = "objectInfo150.txt", "sceneCategories.txt"


@dataclass(frozen=True)
class AdeScenes(SceneReader):
    """ADE20K in the layout of the scene parsing challenge."""

    kind: ClassVar[str] = "ade_scenes"

    def __post_init__(self) -> None:
        """Check the values, and read the names of the objects."""
        super().__post_init__()
        _ = self._names  # reads a file, so that errors show now

    def layout(self) -> str:
        """Return how the files must lie."""
        return "put images/training/NAME.jpg and annotations/training/NAME.png there"

    def listed(self) -> list[SceneImage]:
        """List the images on the disk, whose scenes sceneCategories.txt states."""
        file = self.root / SCENES
        scenes = dict(_pair(line, file) for line in read_lines(file))
        images = []
        for path in sorted((self.root / "images").glob("*/*.jpg")):
            if path.stem not in scenes:
                raise GapnetError(f"{file}: has no scene of {path.stem}; restore the file")
            identity = path.relative_to(self.root).as_posix()
            images.append(SceneImage(identity, path, scenes[path.stem]))
        return images

    def mask_paths(self, record: Record) -> Sequence[Path]:
        """Return the file of the mask."""
        split = record.path.parent.name
        return [self.root / "annotations" / split / f"{record.path.stem}.png"]

    def object_masks(self, record: Record) -> ObjectMasks:
        """Read the mask of an image."""
        layers = [read_mask(path).astype("int64") for path in self.mask_paths(record)]
        return ObjectMasks(layers, self._names)

    @cached_property
    def _names(self) -> dict[int, str]:
        """Return the first name of every class: "windowpane, window" is windowpane."""
        names = {}
        for line in read_lines(self.root / NAMES)[1:]:
            number, *_, words = line.split("\t")
            if not is_whole(number.strip()):
                raise GapnetError(f"{self.root / NAMES}: {line!r} has no number; restore the file")
            names[int(number)] = words.split(",")[0].strip()
        return names


def _pair(line: str, file: Path) -> tuple[str, str]:
    name, _, scene = line.partition(" ")
    if not scene.strip():
        raise GapnetError(f"{file}: {line!r} must be the name of an image and its scene")
    return name, scene.strip()
