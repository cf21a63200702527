"""What a network sees in one picture."""

from dataclasses import dataclass
from io import BytesIO

import cv2
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from gapnet.errors import GapnetError
from gapnet.ops.maps import normalise
from gapnet.text.plain_text import plain

OPACITY = 0.45  # of the colours over the picture
BOX_COLOUR = (255, 48, 48)
PLOT_INCHES = 3.2  # width of one picture in a plot
TITLE_INCHES = 0.4


@dataclass(frozen=True)
class Explanation:
    """Classes of one picture, with their scores, maps and boxes; the first is the best.

    Args:
        image: the picture, RGB.
        labels: indices of the classes.
        ids: of the classes, such as n02123045; their indices if the network has no ids.
        names: readable names of the classes.
        scores: their probabilities.
        maps: (K, H, W) at the picture's size, not scaled: a class's evidence at each pixel.
        boxes: (K, 4), x1, y1, x2, y2 in pixels of the picture, inclusive.
    """

    image: Image.Image
    labels: list[int]
    ids: list[str]
    names: list[str]
    scores: list[float]
    maps: NDArray[np.float32]
    boxes: NDArray[np.float32]

    def overlay(
        self,
        index: int = 0,
        *,
        side: int | None = None,
        colours: str = "jet",
        opacity: float = OPACITY,
        box: bool = True,
    ) -> Image.Image:
        """Return the picture coloured by the map of one of the classes, with its box.

        Args:
            index: of the class in `labels`.
            side: pixels of the longer side; None keeps the picture's size.
            colours: name of a colour map of OpenCV, such as jet or viridis.
            opacity: of the colours, from 0 to 1.
            box: whether to draw it.
        """
        coloured = _colour(self.maps[index], colours)
        base = np.asarray(self.image, dtype=np.float32)
        mixed = (1 - opacity) * base + opacity * coloured
        picture = Image.fromarray(mixed.round().astype(np.uint8))
        scale = 1.0 if side is None else side / max(picture.size)
        if scale != 1:
            size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
            picture = picture.resize(size, Image.Resampling.BICUBIC)
        if box:
            x1, y1, x2, y2 = (float(value) for value in self.boxes[index])
            edges = (x1 * scale, y1 * scale, (x2 + 1) * scale - 1, (y2 + 1) * scale - 1)
            width = max(2, max(picture.size) // 200)
            ImageDraw.Draw(picture).rectangle(edges, outline=BOX_COLOUR, width=width)
        return picture

    def plot(self) -> Figure:
        """Return a figure of Matplotlib: the picture, and its map for each class."""
        count = len(self.labels) + 1
        height = PLOT_INCHES * self.image.height / self.image.width + TITLE_INCHES
        figure = Figure(figsize=(PLOT_INCHES * count, height), layout="constrained")
        panels = figure.subplots(1, count, squeeze=False)[0]
        panels[0].imshow(self.image)
        for index, axes in enumerate(panels[1:]):
            axes.imshow(self.overlay(index))
            axes.set_title(f"{plain(self.names[index])} {self.scores[index]:.1%}", parse_math=False)
        for axes in panels:
            axes.axis("off")
        return figure

    def _repr_png_(self) -> bytes:
        """Return the overlay of the first class as PNG; notebooks show it."""
        buffer = BytesIO()
        self.overlay().save(buffer, format="PNG")
        return buffer.getvalue()


def _colour(heat: NDArray[np.float32], colours: str) -> NDArray[np.float32]:
    """Return the colours (H, W, 3) of a map, from 0 to its maximum."""
    table = getattr(cv2, f"COLORMAP_{colours.upper()}", None)
    if table is None:
        raise GapnetError(f"colours={colours}: OpenCV has no such colours; try jet or viridis")
    values = normalise(torch.from_numpy(heat)[None])[0].numpy()
    picture = cv2.applyColorMap((values * 255).round().astype(np.uint8), table)
    return picture[..., ::-1].astype(np.float32)
