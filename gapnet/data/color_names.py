"""Names of the colours of pixels: the nearest of eleven basic colours."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

# The eleven names are those of Broden. Its pixels were named by the table of van de Weijer et al.
# (2009), which was learned from photographs; here a pixel gets the nearest colour in CIELAB.
COLORS: dict[str, tuple[int, int, int]] = {
    "black": (0, 0, 0),
    "blue": (0, 0, 255),
    "brown": (139, 69, 19),
    "grey": (128, 128, 128),
    "green": (0, 128, 0),
    "orange": (255, 165, 0),
    "pink": (255, 192, 203),
    "purple": (128, 0, 128),
    "red": (255, 0, 0),
    "white": (255, 255, 255),
    "yellow": (255, 255, 0),
}
LEVELS = 32  # of a channel: colours are looked up in a table of 32 x 32 x 32


def named_colors(image: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Return the index in COLORS of every pixel of an RGB image (H, W, 3)."""
    red, green, blue = np.moveaxis(image // (256 // LEVELS), -1, 0)
    indices: NDArray[np.int16] = _table()[red, green, blue]
    return indices


@cache
def _table() -> NDArray[np.int16]:
    """Return the nearest colour of the middle of every cell of the table."""
    steps = (np.arange(LEVELS) + 0.5) / LEVELS
    cells = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1)
    names = np.array(list(COLORS.values())) / 255
    difference = _lab(cells.reshape(-1, 3))[:, None] - _lab(names)
    nearest = np.square(difference).sum(-1).argmin(1).astype(np.int16)
    table: NDArray[np.int16] = nearest.reshape(LEVELS, LEVELS, LEVELS)
    return table


def _lab(colors: NDArray[np.float64]) -> NDArray[np.float32]:
    """Convert colours (n, 3) from RGB in 0..1 to CIELAB."""
    converted = cv2.cvtColor(colors[None].astype(np.float32), cv2.COLOR_RGB2LAB)[0]
    return np.asarray(converted, np.float32)
