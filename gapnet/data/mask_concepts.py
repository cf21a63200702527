"""Masks of objects as concepts: the class of an image, where its masks are."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gapnet.data.readers.image_sizes import FORMATS
from gapnet.data.records import Record
from gapnet.data.segmented import NO_CONCEPT, Annotation, Concept
from gapnet.errors import GapnetError, reading


@dataclass(frozen=True)
class MaskConcepts:
    """Classes as concepts of the category "object"."""

    class_names: Sequence[str]

    @property
    def concepts(self) -> list[Concept]:
        """List a concept for each class."""
        return [Concept(name, "object") for name in self.class_names]

    def annotation(self, record: Record) -> Annotation:
        """Read the masks of an image; one without masks is not annotated."""
        if not record.masks:
            return Annotation((1, 1), np.empty((0, 1, 1), np.int16))
        masks = [_read(path) for path in record.masks]
        for path, mask in zip(record.masks, masks, strict=True):
            if mask.shape != masks[0].shape:
                raise GapnetError(
                    f"{path}: has another size than {record.masks[0]}; restore the file"
                )
        height, width = masks[0].shape
        plane = np.where(reduce(or_, masks), record.label, NO_CONCEPT).astype(np.int16)
        return Annotation((height, width), plane[None])


def _read(path: Path) -> NDArray[np.bool_]:
    with (
        reading(path, "cannot be read as a mask", "restore the file"),
        Image.open(path, formats=FORMATS) as image,
    ):
        return np.asarray(image.convert("L")) > 0  # any grey but black
