"""Draws maps and boxes over pictures."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from gapnet.errors import GapnetError

OPACITY = 0.45  # of the colours over the picture
THINNEST = 2  # pixels of a line
LINES = 200  # width of a line that would fill the longer side this many times

Colour = tuple[int, int, int]


def colour(
    image: Image.Image,
    values: NDArray[np.float32],
    *,
    colours: str = "jet",
    opacity: float = OPACITY,
) -> Image.Image:
    """Return an RGB image with the colours of values (H, W) from 0 to 1 over it.

    Args:
        image: of the size of the values.
        values: of the pixels.
        colours: name of a colour map of OpenCV, such as jet or viridis.
        opacity: of the colours, from 0 to 1.
    """
    table = getattr(cv2, f"COLORMAP_{colours.upper()}", None)
    if table is None:
        raise GapnetError(f"colours={colours}: OpenCV has no such colours; try jet or viridis")
    heat = cv2.applyColorMap((values * 255).round().astype(np.uint8), table)[..., ::-1]
    mixed = (1 - opacity) * np.asarray(image, dtype=np.float32) + opacity * heat
    return Image.fromarray(mixed.round().astype(np.uint8))


def fit(image: Image.Image, side: int | None) -> Image.Image:
    """Return an image whose longer side has so many pixels; None keeps its size."""
    scale = 1.0 if side is None else side / max(image.size)
    if scale == 1:
        return image
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.BICUBIC)


def draw_box(image: Image.Image, box: Sequence[float], *, scale: float, colour: Colour) -> None:
    """Draw an inclusive box x1, y1, x2, y2 on an image that is `scale` times the box's picture."""
    x1, y1, x2, y2 = (float(value) for value in box)
    edges = (x1 * scale, y1 * scale, (x2 + 1) * scale - 1, (y2 + 1) * scale - 1)
    width = max(THINNEST, max(image.size) // LINES)
    ImageDraw.Draw(image).rectangle(edges, outline=colour, width=width)
