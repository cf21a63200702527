"""Concepts of every pixel of the stand-in data set: silhouettes, textures, parts and colours.

They follow from the seed of the drawing, so that no files of segmentations are needed. Categories
are those of Broden; an object is named by its silhouette.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from gapnet.data.color_names import COLORS, named_colors
from gapnet.data.loading.images import read_image
from gapnet.data.records import Record
from gapnet.data.segmented import COLOR, NO_CONCEPT, Annotation, Concept, Plane
from gapnet.data.sources import ilsvrc
from gapnet.data.sources.shapes.dataset import FOLDERS, VERSION, Drawing, placed_objects
from gapnet.data.sources.shapes.painting import Placed, coverage, stretch
from gapnet.data.sources.shapes.traits import SILHOUETTES, TEXTURES, Array, Mask, class_traits
from gapnet.errors import GapnetError, reading

NUMBER = re.compile(r"_(\d+)$")  # ends the id of an image
HALF = 0.5  # of a pixel that a silhouette covers: from there on the pixel belongs to it
FIRST_TEXTURE, FIRST_PART = len(SILHOUETTES), len(SILHOUETTES) + len(TEXTURES)
FIRST_COLOR = FIRST_PART + len(SILHOUETTES)


@dataclass(frozen=True)
class DrawnConcepts:
    """Concepts of a split of a drawn data set.

    Args:
        drawing: what determines the data set.
        folder: of the split in the data set.
    """

    drawing: Drawing
    folder: str

    concepts: ClassVar[list[Concept]] = [
        *(Concept(silhouette.name, "object") for silhouette in SILHOUETTES),
        *(Concept(texture.name, "texture") for texture in TEXTURES),
        *(Concept(f"small {silhouette.name}", "part") for silhouette in SILHOUETTES),
        *(Concept(name, COLOR) for name in COLORS),
    ]

    @classmethod
    def of(cls, root: Path, split: str) -> "DrawnConcepts":
        """Read what the drawing of a data set was made from."""
        stamp = root / ilsvrc.STAND_IN
        with reading(stamp, "is damaged", f"delete {root} to have it drawn again"):
            values = json.loads(stamp.read_text())
            height, width = values.pop("size")
            drawing = Drawing((height, width), **values)
        if drawing.version != VERSION:
            raise GapnetError(
                f"{stamp}: was drawn by another version of gapnet, so that its concepts are not "
                f"known; delete {root} to have it drawn again"
            )
        return cls(drawing, split)

    def annotation(self, record: Record) -> Annotation:
        """Return the concepts of the pixels of an image."""
        number, drawing = NUMBER.search(record.id), self.drawing
        index = int(number[1]) if number else 0
        seed = np.random.SeedSequence([drawing.seed, list(FOLDERS).index(self.folder), index])
        planes = np.full((4, *drawing.size), NO_CONCEPT, np.int16)
        for placed in placed_objects(drawing, seed):
            _add_object(planes, placed, index % drawing.classes)
        planes[3] = FIRST_COLOR + named_colors(np.asarray(read_image(record.path)))
        return Annotation(drawing.size, planes)


def _add_object(planes: Plane, placed: Placed, label: int) -> None:
    """Mark an object of a class; it hides what lies behind it, and its part hides its texture."""
    silhouette, texture, part = class_traits(label)
    x, y, width, height = placed.box
    view, size = planes[:, y : y + height, x : x + width], (height, width)
    whole = _covered(silhouette, placed.tilt, (0, 0, width, height), size)
    detail = _covered(part, placed.tilt, placed.part_box, size)
    view[0][whole | detail] = silhouette
    view[1][whole] = FIRST_TEXTURE + texture
    view[2][whole] = NO_CONCEPT
    view[1][detail] = NO_CONCEPT
    view[2][detail] = FIRST_PART + part


def _covered(
    silhouette: int, tilt: float, box: tuple[float, float, float, float], size: tuple[int, int]
) -> Mask:
    shape: Array = SILHOUETTES[silhouette].polygon
    covered: Mask = coverage(stretch(shape, tilt, box), size) >= HALF
    return covered
