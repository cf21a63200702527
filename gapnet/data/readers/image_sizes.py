"""Sizes of images, from annotations or else from the headers of the files."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import torch
from PIL import Image
from PIL.ExifTags import Base
from torch import Tensor

from gapnet.data.image_files import DISK, Files
from gapnet.data.options import Reading
from gapnet.data.records import Records
from gapnet.data.sample import Measured, Source
from gapnet.errors import GapnetError, reason
from gapnet.system.progress import track

# Not all that Pillow reads: for PostScript it would start Ghostscript
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "PPM", "GIF")
THREADS = 16  # a file system answers many at once
TURNED = 5  # EXIF orientations from this on exchange height and width


def sizes_of(source: Source, split: str, records: Records) -> Tensor:
    """Return (height, width) of images, (N, 2); files are read where no annotation gives a size."""
    known: dict[str, tuple[int, int]] = {}
    if isinstance(source, Measured) and not source.reading.exif:  # which may turn an image
        known = source.sizes(split, records.ids)
    unknown = [row for row, identity in enumerate(records.ids) if identity not in known]
    sizes = torch.tensor([known.get(identity, (0, 0)) for identity in records.ids]).view(-1, 2)
    if unknown:
        sizes[unknown] = read_sizes(list(records.take(unknown).paths()), source.reading)
    return sizes


def read_sizes(paths: Sequence[Path], reading: Reading) -> Tensor:
    """Read (height, width) of files, (N, 2), without decoding them.

    A file that cannot be read is an error, or (0, 0) if `reading` skips it.
    """
    size = partial(_size, reading)
    with ThreadPoolExecutor(THREADS) as pool:
        sizes = list(track(pool.map(size, paths), "reading sizes", total=len(paths)))
    return torch.tensor(sizes).view(-1, 2)


def header_size(path: Path, *, exif: bool, files: Files = DISK) -> tuple[int, int]:
    """Read (height, width) of the pixels that boxes refer to, without decoding them."""
    with files.open(path) as file, Image.open(file, formats=FORMATS) as image:
        turned = exif and image.getexif().get(Base.Orientation, 1) >= TURNED
        return (image.width, image.height) if turned else (image.height, image.width)


def _size(reading: Reading, path: Path) -> tuple[int, int]:
    try:
        return header_size(path, exif=reading.exif, files=reading.files)
    except FileNotFoundError as error:
        raise GapnetError(
            f"{path}: no such image; its size is needed to score boxes of other tools"
        ) from error
    except MemoryError:
        raise
    except Exception as error:  # decoders raise anything at invalid bytes
        if reading.on_corrupt == "skip":
            return 0, 0
        raise GapnetError(f"{path}: cannot be read as an image ({reason(error)})") from error
