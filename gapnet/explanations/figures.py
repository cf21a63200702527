"""Figures of explained pictures, and the paths of their files."""

import os
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image

from gapnet.data.file_names import file_name
from gapnet.explanations.explanation import Explanation
from gapnet.explanations.montage import SIDE, Tile, montage, top_classes
from gapnet.system.files import write_file

Figure = Literal["overlay", "top", "class"]
CLASS_COLUMNS = 4  # pictures in a row of the figure of a class
CLASS_FIGURE = "class.jpg"
JPEG_QUALITY = 92


def figure_path(folder: Path, name: str, *, figure: Figure, methods: Sequence[str]) -> Path:
    """Return the path of a picture's figure; two pictures never get the same.

    A picture in the current folder keeps its relative path. For one elsewhere, the path from the
    root is below a folder "%".
    """
    path, here = Path(os.path.abspath(name)), Path.cwd()  # noqa: PTH100  (keeps symbolic links)
    inside = path.relative_to(here) if path.is_relative_to(here) else path
    kind = "top" if figure == "top" else "-".join(methods)
    return folder / file_name(f"{inside}.{kind}.jpg")


def draw_figure(
    explanations: Sequence[Explanation], *, figure: Figure, methods: Sequence[str]
) -> Image.Image:
    """Return the figure of one picture from an explanation by each method."""
    first = explanations[0]
    if figure == "top":
        tiles = [tile for explanation in explanations for tile in top_classes(explanation)]
        return montage(tiles, columns=1 + len(first.labels))
    if len(explanations) == 1:
        return first.overlay()
    tiles = [
        (explanation.overlay(side=SIDE), f"{method}: {explanation.names[0]}")
        for method, explanation in zip(methods, explanations, strict=True)
    ]
    return montage([(first.image, ""), *tiles], columns=1 + len(tiles))


def class_tile(name: str, explanation: Explanation) -> Tile:
    """Return the tile of a picture in the figure of a class."""
    return explanation.overlay(side=SIDE), f"{Path(name).name} {explanation.scores[0]:.1%}"


def save_jpeg(picture: Image.Image, path: Path) -> None:
    """Write a picture atomically, and its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = BytesIO()
    picture.save(content, format="JPEG", quality=JPEG_QUALITY)
    write_file(path, content.getbuffer())
