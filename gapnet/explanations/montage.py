"""Pictures side by side: one picture under several classes or methods, or one class in several."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from gapnet.explanations.explanation import Explanation
from gapnet.ops.overlay import fit

SIDE = 224  # pixels of a tile
LABEL = 22  # pixels of the line of text under a tile
GAP = 4  # pixels between tiles
TEXT_SIZE = 13
LONGEST_TEXT = 32  # characters
WHITE, BLACK = (255, 255, 255), (0, 0, 0)

Tile = tuple[Image.Image, str]


def top_classes(explanation: Explanation) -> list[Tile]:
    """Return the picture, and its map for every class."""
    return [
        (explanation.image, ""),
        *(
            (explanation.overlay(rank, side=SIDE), f"{name} {score:.1%}")
            for rank, (name, score) in enumerate(
                zip(explanation.names, explanation.scores, strict=True)
            )
        ),
    ]


def montage(tiles: Sequence[Tile], *, columns: int) -> Image.Image:
    """Return tiles in rows, scaled to the width or height of a cell, with a text below every tile.

    A cell is as high as the highest tile, at most a square.
    """
    pictures = [fit(picture, SIDE) for picture, _ in tiles]
    side = max(picture.height for picture in pictures)
    rows = -(-len(tiles) // columns)
    width, height = SIDE + GAP, side + LABEL + GAP
    sheet = Image.new("RGB", (columns * width - GAP, rows * height - GAP), WHITE)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(TEXT_SIZE)
    for number, (picture, (_, text)) in enumerate(zip(pictures, tiles, strict=True)):
        left, top = number % columns * width, number // columns * height
        across, down = (SIDE - picture.width) // 2, (side - picture.height) // 2
        sheet.paste(picture, (left + across, top + down))
        draw.text((left + 2, top + side + 2), text[:LONGEST_TEXT], fill=BLACK, font=font)
    return sheet
