"""Pictures of a report, and which images they may show."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from PIL import Image
from torch import Tensor

from gapnet.report.gallery_image import GalleryImage


@dataclass(frozen=True)
class Picture:
    """An image with the map of the true class, and the facts for its caption.

    `iou` is None if it is judged by its class; `other` then has the map of a wrong prediction.
    `entry` is what the page's gallery shows.
    """

    id: str
    image: Image.Image
    label: int
    predicted: int
    iou: float | None
    right: bool
    other: Image.Image | None = None
    entry: GalleryImage | None = None

    @property
    def images(self) -> list[Image.Image]:
        """Return the image with each of its maps."""
        return [self.image] if self.other is None else [self.image, self.other]


class Judged(NamedTuple):
    """Rows of images that may be shown, and whether each is right, (M,).

    `overlaps` (M,) are those of the true class's box; None: the images are judged by their class.
    `kinds` (M) are the verdicts on the first guesses: right, wrong_class, part, ... `examples` are
    positions in these lists of wrong images that are shown for certain.
    """

    rows: Tensor
    right: Tensor
    overlaps: Tensor | None
    kinds: Sequence[str] = ()
    examples: Sequence[int] = ()


def contact_sheet(pictures: Sequence[Picture], *, columns: int = 6, gap: int = 4) -> Image.Image:
    """Return one white image with the pictures in rows, at the top left of their cells."""
    images = [image for picture in pictures for image in picture.images]
    width = max(image.width for image in images) + gap
    height = max(image.height for image in images) + gap
    rows = -(-len(images) // columns)
    across = min(columns, len(images))
    sheet = Image.new("RGB", (across * width - gap, rows * height - gap), "white")
    for number, image in enumerate(images):
        row, column = divmod(number, columns)
        sheet.paste(image, (column * width, row * height))
    return sheet
