"""Masks of all objects of an image, as scene data sets have them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gapnet.data.readers.image_sizes import header_size
from gapnet.data.records import Record, Records
from gapnet.errors import GapnetError, reading
from gapnet.system.progress import track

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


def check_masks(source: Segmented, records: Records) -> None:
    """Refuse masks that are missing, or not of the size of their image.

    An image whose size cannot be read is left to those who read images.
    """
    for record in track(records, "checking masks", total=len(records), leave=False):
        for path in source.mask_paths(record):
            if not path.is_file():
                raise GapnetError(f"{path}: no such mask; restore it, or remove its image")
            with reading(path, "cannot be read as a mask", "restore the file"):
                height, width = header_size(path, exif=False)
            own_height, own_width = _size_of_image(record.path) or (height, width)
            if (own_height, own_width) != (height, width):
                raise GapnetError(
                    f"{path}: has {width} x {height} pixels, but its image has {own_width} x "
                    f"{own_height}; restore one of them"
                )


def _size_of_image(path: Path) -> tuple[int, int] | None:
    try:
        return header_size(path, exif=False)
    except Exception:  # decoders raise anything at invalid bytes
        return None


def read_mask(path: Path, *, channels: bool = False) -> NDArray[np.uint16]:
    """Read a PNG of numbers: (H, W), or with `channels` its colours (H, W, 3), unchanged."""
    with reading(path, "cannot be read as a mask", "restore the file"):
        with Image.open(path, formats=("PNG",)) as image:
            image.load()
            plain = image.convert("RGB") if channels else image
            values = np.asarray(plain)
        if values.ndim != (3 if channels else 2):
            raise GapnetError(
                f"{path}: is a colour image; must be a grey or palette PNG, with one number "
                "for each pixel"
            )
        return values.astype(np.uint16)
