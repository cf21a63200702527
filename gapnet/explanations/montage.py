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
    """Return the picture, and its map for each of its classes."""
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
    """Return tiles in rows, each scaled into a square, with its text below it."""
    rows = -(-len(tiles) // columns)
    width, height = SIDE + GAP, SIDE + LABEL + GAP
    sheet = Image.new("RGB", (columns * width - GAP, rows * height - GAP), WHITE)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(TEXT_SIZE)
    for number, (picture, text) in enumerate(tiles):
        left, top = number % columns * width, number // columns * height
        tile = fit(picture, SIDE)
        sheet.paste(tile, (left + (SIDE - tile.width) // 2, top + (SIDE - tile.height) // 2))
        draw.text((left + 2, top + SIDE + 2), text[:LONGEST_TEXT], fill=BLACK, font=font)
    return sheet
