"""Pictures side by side in a figure of Matplotlib."""

from collections.abc import Sequence
from io import BytesIO

from matplotlib.figure import Figure
from PIL import Image

from gapnet.text.plain_text import plain

PLOT_INCHES = 3.2  # width of one picture
TITLE_INCHES = 0.4


class PictureFigure(Figure):
    """Figure that a notebook shows, also without %matplotlib inline."""

    def _repr_png_(self) -> bytes:
        """Return the figure as PNG."""
        buffer = BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()


def plot_pictures(pictures: Sequence[tuple[Image.Image, str]]) -> Figure:
    """Return a figure with pictures of one size in a row, each with its title."""
    first = pictures[0][0]
    height = PLOT_INCHES * first.height / first.width + TITLE_INCHES
    figure = PictureFigure(figsize=(PLOT_INCHES * len(pictures), height), layout="constrained")
    panels = figure.subplots(1, len(pictures), squeeze=False)[0]
    for axes, (picture, title) in zip(panels, pictures, strict=True):
        axes.imshow(picture)
        axes.set_title(plain(title), parse_math=False)
        axes.axis("off")
    return figure
