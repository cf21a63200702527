"""Draws a class map over its image, with the predicted box and the true boxes."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from gapnet.ops.maps import normalise, upsample
from gapnet.ops.overlay import colour, draw_box, fit

PREDICTED, TRUE = (255, 48, 48), (64, 255, 96)
SIDE = 224  # pixels of the picture's longer side

Box = Sequence[float]


def overlay(
    image: Image.Image,
    heat: Tensor,
    window: Tensor,
    *,
    predicted: Box | None = None,
    true: Iterable[Box] = (),
) -> Image.Image:
    """Colour an image by a map (h, w) over a window (4,), and draw predicted and true boxes."""
    picture = fit(colour(image, _place(heat, window, (image.height, image.width))), SIDE)
    boxes = [(true_box, TRUE) for true_box in true]
    if predicted is not None:
        boxes.append((predicted, PREDICTED))
    for box, box_colour in boxes:
        draw_box(picture, box, scale=SIDE / max(image.size), colour=box_colour)
    return picture


def _place(heat: Tensor, window: Tensor, size: tuple[int, int]) -> NDArray[np.float32]:
    """Return a normalised map on an image of `size`; 0 outside the window."""
    x1, y1, x2, y2 = window.round().int().tolist()
    window_map = normalise(upsample(heat[None].float().cpu(), (max(1, y2 - y1), max(1, x2 - x1))))[
        0
    ]
    image_map = torch.zeros(size)
    top, left, bottom, right = max(y1, 0), max(x1, 0), min(y2, size[0]), min(x2, size[1])
    image_map[top:bottom, left:right] = window_map[top - y1 : bottom - y1, left - x1 : right - x1]
    return image_map.numpy()
