"""A class map over its image, with the box that was found and the true ones."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from gapnet.ops.maps import normalise, upsample

STRENGTH = 0.45  # of the colours over the image
FOUND, TRUE = (255, 48, 48), (64, 255, 96)
SIDE = 224  # pixels of the picture's longer side

Box = Sequence[float]


def overlay(
    image: Image.Image, heat: Tensor, window: Tensor, *, found: Box, true: Iterable[Box]
) -> Image.Image:
    """Colour an image by a map (h, w) over a window (4,); red is the box found, green the true."""
    laid = _lay(heat, window, (image.height, image.width))
    colours = cv2.applyColorMap((laid * 255).round().astype(np.uint8), cv2.COLORMAP_JET)[..., ::-1]
    mixed = (1 - STRENGTH) * np.asarray(image, dtype=np.float32) + STRENGTH * colours
    scale = SIDE / max(image.size)
    size = (round(image.width * scale), round(image.height * scale))
    picture = Image.fromarray(mixed.round().astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    for box, colour in [*((each, TRUE) for each in true), (found, FOUND)]:
        x1, y1, x2, y2 = box
        draw.rectangle(
            (x1 * scale, y1 * scale, (x2 + 1) * scale - 1, (y2 + 1) * scale - 1),
            outline=colour,
            width=2,
        )
    return picture


def _lay(heat: Tensor, window: Tensor, size: tuple[int, int]) -> NDArray[np.float32]:
    """Lay a normalised map over an image of `size`; what the window does not show stays cold."""
    x1, y1, x2, y2 = window.round().int().tolist()
    seen = normalise(upsample(heat[None].float().cpu(), (max(1, y2 - y1), max(1, x2 - x1))))[0]
    laid = torch.zeros(size)
    top, left, bottom, right = max(y1, 0), max(x1, 0), min(y2, size[0]), min(x2, size[1])
    laid[top:bottom, left:right] = seen[top - y1 : bottom - y1, left - x1 : right - x1]
    return laid.numpy()
