"""A drawn data set in Broden's layout with planted concepts, and a network that detects them.

Every image has a grey ground, red or blue squares, a square of stripes, and a plus or a disc of
fixed size. So a few hand-made convolutions detect a colour, a texture and a shape exactly.
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from gapnet.data.sources.broden import Broden

SIDE, CELL = 48, 16  # pixels of an image, and of a square in which something may be
LABELS = [
    ("red", "color"),
    ("blue", "color"),
    ("striped", "texture"),
    ("plus", "object"),
    ("kitchen-s", "scene"),
]
CATEGORIES = ["object", "scene", "texture", "color"]
PLUS = np.zeros((9, 9), bool)
PLUS[3:6], PLUS[:, 3:6] = True, True


def write_planted(root: Path, images: int = 30) -> Broden:
    """Write the data set; a third of the images has no colours, a third no texture."""
    (root / "images" / "drawn").mkdir(parents=True)
    generator = np.random.default_rng(0)
    rows = []
    for index in range(images):
        name = f"drawn/{index:03d}.png"
        picture, planes = _draw(generator)
        Image.fromarray(picture).save(root / "images" / name)
        fields = {}
        for category, plane in planes.items():
            fields[category] = f"drawn/{index:03d}_{category}.png"
            _save(plane, root / "images" / fields[category])
        if index % 3 == 0:
            fields["color"] = ""
        if index % 3 == 1:
            fields["texture"] = ""
        fields["scene"] = "5" if index % 2 else ""
        split = "train" if index % 2 else "val"
        rows.append([name, split, SIDE, SIDE, SIDE, SIDE, *(fields[c] for c in CATEGORIES)])
    _write(root / "index.csv", ["image", "split", "ih", "iw", "sh", "sw", *CATEGORIES], rows)
    _write_tables(root)
    return Broden(root, test_split="all")


def _write_tables(root: Path) -> None:
    _write(
        root / "category.csv",
        ["name", "first", "last", "count", "frequency"],
        [[name, 0, 0, 1, 1] for name in CATEGORIES],
    )
    _write(
        root / "label.csv",
        ["number", "name", "category", "frequency", "coverage", "syns"],
        [[n, name, f"{c}(9)", 9, 1.0, ""] for n, (name, c) in enumerate(LABELS, start=1)],
    )
    for category in CATEGORIES:
        own = [(n, name) for n, (name, c) in enumerate(LABELS, start=1) if c == category]
        if category == "color":
            own.append((3, "striped"))  # also listed here, but it covers less
        rows = [
            [code, n, name, 9, 0.5 if (category, n) == ("color", 3) else 1.0]
            for code, (n, name) in enumerate(own, start=1)
        ]
        _write(
            root / f"c_{category}.csv", ["code", "number", "name", "frequency", "coverage"], rows
        )


def _draw(generator: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    picture = np.full((SIDE, SIDE, 3), 128, np.uint8)
    planes = {name: np.zeros((SIDE, SIDE), np.int64) for name in ("color", "texture", "object")}
    places = generator.permutation(9)[:4]
    for what, place in zip(("red", "blue", "striped", "plus"), places, strict=True):
        y, x = (int(part) * CELL for part in divmod(int(place), 3))
        inner = np.s_[y + 2 : y + 14, x + 2 : x + 14]
        if what == "plus":
            inner = np.s_[y + 3 : y + 12, x + 3 : x + 12]
            picture[inner][PLUS] = 255
            planes["object"][inner][PLUS] = 4
        elif what == "striped":
            picture[inner][:, ::2], picture[inner][:, 1::2] = 0, 255
            planes["texture"][inner] = 3
        else:
            picture[inner] = (255, 0, 0) if what == "red" else (0, 0, 255)
            planes["color"][inner] = 1 if what == "red" else 2
    return picture, planes


def _save(plane: np.ndarray, path: Path) -> None:
    pixels = np.stack([plane % 256, plane // 256, np.zeros_like(plane)], -1)
    Image.fromarray(pixels.astype(np.uint8)).save(path)


def _write(path: Path, header: list[str], rows: list[list[object]]) -> None:
    lines = [",".join(map(str, row)) for row in [header, *rows]]
    path.write_text("\n".join(lines) + "\n")


class HandMade(nn.Module):
    """Trunk whose four units are a red, a blue, a stripe and a plus detector.

    It takes pixels that are normalised with mean 0.5 and deviation 0.5: in -1..1.
    """

    def __init__(self) -> None:
        super().__init__()
        self.units = nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        red, green, blue = images.unbind(1)
        grey = images.mean(1, keepdim=True)
        step = (grey - grey.roll(1, 3)).abs()
        striped = torch.nn.functional.avg_pool2d(step, 5, 1, 2)[:, 0]
        kernel = torch.tensor(np.where(PLUS, 1 / PLUS.sum(), -1 / (~PLUS).sum()))
        plain = (images.amax(1) - images.amin(1) < 0.1).float() * grey[:, 0]
        match = torch.nn.functional.conv2d(plain[:, None], kernel[None, None].float(), padding=4)
        centre = (match == match.amax((2, 3), keepdim=True)).float()
        plus = torch.nn.functional.conv_transpose2d(
            centre, torch.tensor(PLUS)[None, None].float(), padding=4
        )[:, 0]
        return self.units(torch.stack([red - green - blue, blue - green - red, striped, plus], 1))
