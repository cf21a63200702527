"""What a network sees in one picture."""

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from gapnet.ops.maps import normalise
from gapnet.ops.overlay import OPACITY, PREDICTED, colour, draw_box, fit
from gapnet.system.lazy_names import LazyNames

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Matplotlib takes half a second to import, and only plots need it
later = LazyNames(__name__, {"plot_pictures": "gapnet.explanations.picture_plot"})


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
        values = normalise(torch.from_numpy(self.maps[index])[None])[0].numpy()
        picture = fit(colour(self.image, values, colours=colours, opacity=opacity), side)
        if box:
            scale = 1.0 if side is None else side / max(self.image.size)
            draw_box(picture, self.boxes[index], scale=scale, colour=PREDICTED)
        return picture

    def plot(self) -> "Figure":
        """Return a figure of Matplotlib: the picture, and its map for each class."""
        titles = map("{} {:.1%}".format, self.names, self.scores)
        maps = [(self.overlay(index), title) for index, title in enumerate(titles)]
        figure: Figure = later("plot_pictures")([(self.image, ""), *maps])
        return figure

    def _repr_png_(self) -> bytes:
        """Return the overlay of the first class as PNG; notebooks show it."""
        buffer = BytesIO()
        self.overlay().save(buffer, format="PNG")
        return buffer.getvalue()
