"""Painting of polygons into an image, with smooth edges."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from gapnet.data.sources.shapes.traits import Array

Canvas = NDArray[np.float32]  # (height, width, 3) in 0..1
SUPERSAMPLING = 2  # shapes are drawn at twice the size and averaged down, for smooth edges
SUBPIXELS = 4  # bits of precision in OpenCV's integer coordinates


class Placed(NamedTuple):
    """Where an object is: its box x, y, width, height in the image, its tilt in degrees.

    The box of its part, of the same form, is in pixels of the object's box.
    """

    box: tuple[int, int, int, int]
    tilt: float
    part_box: tuple[float, float, float, float]


def paint(
    view: Canvas,
    shape: Array,
    tilt: float,
    box: tuple[float, float, float, float],
    colour: NDArray[np.float32],
) -> None:
    """Paint a tilted polygon into a box (x, y, width, height) of a view, in a colour or a skin."""
    cover = coverage(stretch(shape, tilt, box), (view.shape[0], view.shape[1]))
    view += cover[..., None] * (colour - view)


def stretch(shape: Array, tilt: float, box: tuple[float, float, float, float]) -> Array:
    """Tilt a polygon and stretch it to fill a box, so that the box is the same for every class."""
    cos, sin = np.cos(np.radians(tilt)), np.sin(np.radians(tilt))
    turned = shape @ np.array([[cos, sin], [-sin, cos]])
    low, high = turned.min(0), turned.max(0)
    stretched: Array = (turned - low) / (high - low) * np.array(box[2:]) + np.array(box[:2])
    return stretched


def coverage(points: Array, size: tuple[int, int]) -> NDArray[np.float32]:
    """Return the share, in 0..1, of every pixel of `size` (height, width) that a polygon covers."""
    height, width = size
    mask = np.zeros((height * SUPERSAMPLING, width * SUPERSAMPLING), dtype=np.uint8)
    fine = ((points * SUPERSAMPLING - 0.5) * (1 << SUBPIXELS)).round().astype(np.int32)
    cv2.fillPoly(mask, [fine], 255, cv2.LINE_8, SUBPIXELS)
    smooth = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)
    return np.divide(smooth, 255, dtype=np.float32)
