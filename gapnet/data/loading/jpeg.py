"""Reads plain JPEG files with simplejpeg: faster than Pillow, with the same values."""

import logging
from collections.abc import Callable
from functools import cache
from importlib import import_module
from io import BytesIO
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

START = b"\xff\xd8\xff"
APP1 = b"\xff\xe1"  # the marker of EXIF and XMP, which may contain an orientation
PLAIN = "YCbCr"  # not grey, CMYK, YCCK or RGB
log = logging.getLogger(__name__)

Pixels = NDArray[np.uint8]  # (H, W, 3)


def read_jpeg(file: BinaryIO, *, exif: bool) -> Pixels | None:
    """Return the pixels of a plain JPEG; None, with the file at its start, if Pillow must read it.

    Pillow reads files that are damaged or truncated, that are not YCbCr, or that exceed its limit
    of pixels; with `exif`, also those that may contain an orientation.
    """
    start = file.read(len(START))
    pixels = _decode(start + file.read(), exif=exif) if start == START else None
    if pixels is None:
        file.seek(0)
    return pixels


def _decode(content: bytes, *, exif: bool) -> Pixels | None:
    decoder = load_decoder()
    if decoder is None or (exif and APP1 in content):
        return None
    try:
        return decoder(content)
    except MemoryError:
        raise
    except Exception as error:  # invalid bytes: Pillow decides whether they are an error
        log.debug("Pillow reads a JPEG: %s", error)
        return None


@cache
def load_decoder() -> Callable[[bytes], Pixels | None] | None:
    """Load simplejpeg; None if it is missing, or if its values differ from this Pillow's."""
    try:
        simplejpeg = import_module("simplejpeg")
    except ImportError:
        return None

    def decode(content: bytes) -> Pixels | None:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(content)
        limit = Image.MAX_IMAGE_PIXELS
        if colours != PLAIN or (limit is not None and height * width > limit):
            return None
        pixels: Pixels = simplejpeg.decode_jpeg(content)
        return pixels

    return decode if _equals_pillow(decode) else None


def _equals_pillow(decode: Callable[[bytes], Pixels | None]) -> bool:
    """Return whether both libraries read the same values; builds of libjpeg may differ."""
    noise = np.random.default_rng(0).integers(0, 256, (37, 41, 3), dtype=np.uint8)
    file = BytesIO()
    Image.fromarray(noise).save(file, "JPEG")
    try:
        same = np.array_equal(decode(file.getvalue()), np.asarray(Image.open(file)))  # type: ignore[arg-type]
    except Exception as error:  # a broken simplejpeg may raise anything
        log.info("images are read without simplejpeg (%s)", error)
        return False
    if not same:
        log.info("images are read without simplejpeg: its values differ from Pillow's")
    return same
