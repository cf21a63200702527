"""Draws maps and boxes over pictures."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from gapnet.errors import GapnetError
from gapnet.ops.maps import map_on_image

OPACITY = 0.45  # of the colours over the picture
THINNEST = 2  # pixels of a line
LINES = 200  # width of a line that would fill the longer side this many times
SIDE = 224  # pixels of the longer side of an overlay
TEXT, LINE, MARGIN = 13, 17, 3  # pixels: height of letters, of a line, and the margin beside it
DOTS = "..."  # end a text that was cut

Box = Sequence[float]
Colour = tuple[int, int, int]
PREDICTED: Colour = (255, 48, 48)
TRUE: Colour = (64, 255, 96)


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


def draw_box(image: Image.Image, box: Box, *, scale: float, colour: Colour) -> None:
    """Draw an inclusive box x1, y1, x2, y2 on an image that is `scale` times the box's picture."""
    x1, y1, x2, y2 = (float(value) for value in box)
    edges = (x1 * scale, y1 * scale, (x2 + 1) * scale - 1, (y2 + 1) * scale - 1)
    width = max(THINNEST, max(image.size) // LINES)
    ImageDraw.Draw(image).rectangle(edges, outline=colour, width=width)


def overlay(
    image: Image.Image,
    heat: Tensor,
    window: Tensor,
    *,
    predicted: Box | None = None,
    true: Iterable[Box] = (),
) -> Image.Image:
    """Colour an image by a map (h, w) over a window (4,), and draw predicted and true boxes."""
    placed = map_on_image(heat, window, (image.height, image.width))
    picture = fit(colour(image, placed.numpy()), SIDE)
    boxes = [(true_box, TRUE) for true_box in true]
    if predicted is not None:
        boxes.append((predicted, PREDICTED))
    for box, box_colour in boxes:
        draw_box(picture, box, scale=SIDE / max(image.size), colour=box_colour)
    return picture


def with_caption(image: Image.Image, lines: Sequence[str]) -> Image.Image:
    """Return an image with lines of text on white below it; a line that is too long is cut."""
    font = ImageFont.load_default(TEXT)
    sheet = Image.new("RGB", (image.width, image.height + LINE * len(lines) + MARGIN), "white")
    sheet.paste(image)
    draw = ImageDraw.Draw(sheet)
    for number, line in enumerate(lines):
        text = line
        while len(text) > len(DOTS) and draw.textlength(text, font) > image.width - 2 * MARGIN:
            text = text.removesuffix(DOTS)[:-1] + DOTS
        draw.text((MARGIN, image.height + number * LINE), text, fill="black", font=font)
    return sheet
