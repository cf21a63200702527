"""Scenes in folders, with a mask of the objects of every image.

ROOT/images/SCENE/NAME.jpg    or another format
ROOT/masks/SCENE/NAME.png     the number of the object class of every pixel; 0 is no object
ROOT/labels.csv               number,name
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from gapnet.data.image_folder import folders_and_images, images_by_stem
from gapnet.data.object_masks import ObjectMasks, read_mask
from gapnet.data.readers.annotations import is_whole
from gapnet.data.records import Record
from gapnet.data.scene_reader import SceneImage, SceneReader
from gapnet.errors import GapnetError, reading

LABELS, HEADER = "labels.csv", ["number", "name"]


@dataclass(frozen=True)
class MaskedScenes(SceneReader):
    """Scenes in folders, with masks of their objects."""

    kind: ClassVar[str] = "masked_scenes"

    def __post_init__(self) -> None:
        """Check the values, and read the names of the objects."""
        super().__post_init__()
        _ = self._names  # reads a file, so that errors show now

    def layout(self) -> str:
        """Return how the files must lie."""
        return "put images/SCENE/NAME.jpg and masks/SCENE/NAME.png there"

    def listed(self) -> list[SceneImage]:
        """List the images of every folder of images/."""
        folder = self.root / "images"
        scenes = folders_and_images(folder)[0] if folder.is_dir() else []
        return [
            SceneImage(path.relative_to(self.root).as_posix(), path, scene.name)
            for scene in scenes
            for path in images_by_stem(scene).values()
        ]

    def mask_paths(self, record: Record) -> Sequence[Path]:
        """Return the file of the mask."""
        scene = record.path.parent.name
        return [self.root / "masks" / scene / f"{record.path.stem}.png"]

    def object_masks(self, record: Record) -> ObjectMasks:
        """Read the mask of an image."""
        layers = [read_mask(path).astype("int64") for path in self.mask_paths(record)]
        return ObjectMasks(layers, self._names)

    @cached_property
    def _names(self) -> dict[int, str]:
        return read_names(self.root / LABELS)


def read_names(path: Path) -> dict[int, str]:
    """Read the names of object classes by their numbers."""
    names = {}
    with (
        reading(path, "is not a CSV file", "restore the file"),
        path.open(encoding="utf-8-sig", newline="") as file,
    ):
        header, *rows = [row for row in csv.reader(file, skipinitialspace=True) if row] or [[]]
        if header != HEADER:
            raise GapnetError(f"{path}, line 1: must be {','.join(HEADER)}, not {','.join(header)}")
        for row in rows:
            if len(row) != len(HEADER) or not is_whole(row[0].strip()):
                raise GapnetError(f"{path}: {','.join(row)!r} must be a number and a name")
            names[int(row[0])] = row[1].strip()
    return names
