"""ADE20K, the full release of 2016, with the objects and parts of every image.

ROOT/images/{training,validation}/LETTER/SCENE/NAME.jpg
.../NAME_seg.png        class = R // 10 * 256 + G; B is the number of the object in the image
.../NAME_parts_1.png    the parts of the objects, in the same code; _parts_2.png parts of parts
.../NAME_atr.txt        a line for each object: number # part level # occluded # class # words # ...
ROOT/index_ade20k.mat   the names of the classes; without it, names come from NAME_atr.txt
"""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from gapnet.data.object_masks import NOTHING, ObjectMasks, read_mask
from gapnet.data.records import Record
from gapnet.data.scene_reader import SceneImage, SceneReader
from gapnet.errors import GapnetError, reading
from gapnet.system.value_checks import true_or_false

INDEX = "index_ade20k.mat"
TENS, HIGH = 10, 256  # the code of a class in the red channel
CELLS = 4  # of a line of _atr.txt that are needed


@dataclass(frozen=True)
class Ade(SceneReader):
    """ADE20K in the layout of its full release of 2016.

    Args:
        parts: whether parts of objects count as objects.
    """

    _: KW_ONLY
    parts: bool = False

    kind: ClassVar[str] = "ade"

    def __post_init__(self) -> None:
        """Check the values."""
        true_or_false("data.parts", self.parts)
        super().__post_init__()

    def layout(self) -> str:
        """Return how the files must lie."""
        return "unpack ADE20K so that images/training/a/abbey/ADE_train_00000970.jpg is there"

    def listed(self) -> list[SceneImage]:
        """List the images of both splits; the scene is the path below the folder of the letter."""
        images = []
        for split in ("training", "validation"):
            for path in sorted((self.root / "images" / split).rglob("ADE_*.jpg")):
                _, *scene = path.parent.relative_to(self.root / "images" / split).parts or [""]
                if scene:
                    identity = path.relative_to(self.root).as_posix()
                    images.append(SceneImage(identity, path, "/".join(scene)))
        return images

    def mask_paths(self, record: Record) -> Sequence[Path]:
        """Return the mask of the objects and, if they count, those of the parts there are."""
        objects = record.path.with_name(f"{record.path.stem}_seg.png")
        found = sorted(record.path.parent.glob(f"{record.path.stem}_parts_*.png"))
        return [objects, *(found if self.parts else ())]

    def object_masks(self, record: Record) -> ObjectMasks:
        """Read the masks of an image."""
        colours = [read_mask(path, channels=True) for path in self.mask_paths(record)]
        layers = [class_numbers(values) for values in colours]
        names = self._names or self._names_of(record, colours, layers)
        return ObjectMasks(layers, names)

    @cached_property
    def _names(self) -> Mapping[int, str]:
        path = self.root / INDEX
        return read_object_names(path) if path.is_file() else {}

    def _names_of(
        self,
        record: Record,
        colours: Sequence[NDArray[np.uint16]],
        layers: Sequence[NDArray[np.int64]],
    ) -> dict[int, str]:
        """Return names of classes from the lines of _atr.txt, whose numbers count objects."""
        path = record.path.with_name(f"{record.path.stem}_atr.txt")
        lines = read_attributes(path) if path.is_file() else {}
        names: dict[int, str] = {}
        for level, (values, layer) in enumerate(zip(colours, layers, strict=True)):
            blues, places = np.unique(values[..., 2], return_index=True)
            start = int(blues[0] > NOTHING)  # 0 is the ground, which is no object
            for number, place in enumerate(places.tolist(), start):
                if (level, number) in lines:
                    names[int(layer.flat[place])] = lines[level, number]
        return names


def class_numbers(colours: NDArray[np.uint16]) -> NDArray[np.int64]:
    """Return the class numbers (H, W) of the colours (H, W, 3) of a mask.

    >>> class_numbers(np.array([[[30, 7, 1]]], np.uint16)).tolist()
    [[775]]
    """
    numbers: NDArray[np.int64] = colours[..., 0].astype(np.int64) // TENS * HIGH + colours[
        ..., 1
    ].astype(np.int64)
    return numbers


def read_object_names(path: Path) -> dict[int, str]:
    """Read the names of the classes, which count from 1, from index_ade20k.mat."""
    with reading(path, "is not the index of ADE20K", "restore the file"):
        index = loadmat(str(path), squeeze_me=True, struct_as_record=False)["index"]
        names = np.atleast_1d(index.objectnames).tolist()
        return {number: str(name) for number, name in enumerate(names, start=1)}


def read_attributes(path: Path) -> dict[tuple[int, int], str]:
    """Read the class of each object from _atr.txt, by part level and number."""
    names: dict[tuple[int, int], str] = {}
    with reading(path, "is not a list of objects of ADE20K", "restore the file"):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            cells = [cell.strip() for cell in line.split("#")]
            if len(cells) < CELLS:
                if line.strip():
                    raise GapnetError(f"{path}: a line has no class: {line.strip()!r}; restore it")
                continue
            names[int(cells[1]), int(cells[0])] = cells[3]
    return names
