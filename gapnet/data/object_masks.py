"""Masks of all objects of an image, as scene data sets have them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gapnet.data.records import Record
from gapnet.errors import GapnetError, reading

NOTHING = 0  # value of the pixels that belong to no object


class ObjectMasks(NamedTuple):
    """Layers (H, W) with the number of the object class of every pixel, and names of classes.

    A pixel of a part of an object has a number in several layers.
    """

    layers: Sequence[NDArray[np.int64]]
    names: Mapping[int, str]

    def name(self, number: int) -> str:
        """Return the name of an object class; a class without a name is called by its number."""
        return self.names.get(number) or f"object {number}"


@runtime_checkable
class Segmented(Protocol):
    """A data set whose images have masks of their objects."""

    def mask_paths(self, record: Record) -> Sequence[Path]:
        """Return the files of the masks of an image."""
        ...

    def object_masks(self, record: Record) -> ObjectMasks:
        """Read the masks of an image."""
        ...


def read_mask(path: Path, *, channels: bool = False) -> NDArray[np.uint16]:
    """Read a PNG of numbers: (H, W), or with `channels` its colours (H, W, 3), unchanged."""
    with reading(path, "cannot be read as a mask", "restore the file"):
        with Image.open(path, formats=("PNG",)) as image:
            image.load()
            plain = image.convert("RGB") if channels else image
            values = np.asarray(plain)
        if values.ndim != (3 if channels else 2):
            raise GapnetError(
                f"{path}: is a picture in colour; a mask has one number for each pixel (grey or "
                "palette PNG)"
            )
        return values.astype(np.uint16)
