"""What the page's gallery holds of an image: a small picture, and class maps in 8 bits."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from gapnet.evaluation.overlaps import framed_truth
from gapnet.evaluation.protocols import Protocol
from gapnet.metrics.functional import PaddedBoxes
from gapnet.ops.overlay import fit
from gapnet.text.plain_text import plain

LEVELS = 255  # of a map in 8 bits, above the lowest one
CELLS = 32  # of a side of a map, at most; larger maps, such as those of gradients, are reduced
SIDE, QUALITY = 320, 78  # of the small picture: pixels of its longer side, and of its JPEG file
DIGITS = 4  # of a score or an overlap

Json = dict[str, object]
Box = Sequence[float]


class Levels(NamedTuple):
    """A map in 8 bits: value = low + level / 255 * (high - low)."""

    levels: Tensor
    low: float
    high: float

    def values(self) -> Tensor:
        """Return the map."""
        return self.low + self.levels.double() * ((self.high - self.low) / LEVELS)


@dataclass(frozen=True)
class Explained:
    """Predictions of a network for an image, and maps of classes by one method.

    Args:
        ranked: the most probable classes.
        scores: of these classes.
        classes: that have a map, K of them.
        maps: (K, h, w).
        window: edges of the part of the file that the maps cover, (4,).
        boxes: that the evaluation recorded, by class.
        kind: of the first guess: right, wrong_class, part, ...; None if it was not scored.
        overlap: of the true class's box with a true box; None if it was not scored.
    """

    ranked: Sequence[int]
    scores: Sequence[float]
    classes: Sequence[int]
    maps: Tensor
    window: Sequence[float]
    boxes: Mapping[int, Box]
    kind: str | None = None
    overlap: float | None = None

    def json(self) -> Json:
        """Return the values for the page."""
        maps = [to_levels(heat) for heat in reduced(self.maps)]
        return {
            "ranked": list(self.ranked),
            "scores": [round(score, DIGITS) for score in self.scores],
            "classes": list(self.classes),
            "grid": list(maps[0].levels.shape),
            "maps": _base64(b"".join(heat.levels.numpy().tobytes() for heat in maps)),
            "low": [heat.low for heat in maps],
            "high": [heat.high for heat in maps],
            "window": list(self.window),
            "boxes": {str(label): list(box) for label, box in self.boxes.items()},
            "kind": self.kind,
            "overlap": None if self.overlap is None else round(self.overlap, DIGITS),
        }


@dataclass(frozen=True)
class GalleryImage:
    """An image of the gallery, with its ground truth and what every source says about it.

    Args:
        id: of the image.
        picture: of any size.
        size: (width, height) of the file.
        label: its true class.
        boxes: the true ones, inclusive, in pixels of the file.
        explained: by source: a method, or a run.
    """

    id: str
    picture: Image.Image
    size: tuple[int, int]
    label: int
    boxes: Sequence[Box]
    explained: Sequence[Explained]

    def small(self) -> "GalleryImage":
        """Return the image with its picture as small as on the page."""
        return replace(self, picture=fit(self.picture, min(SIDE, max(self.picture.size))))

    def json(self, protocol: Protocol) -> Json:
        """Return the values for the page; `framed` are the true boxes where overlaps are taken."""
        boxes, (width, height) = torch.tensor(self.boxes).view(1, -1, 4), self.size
        truth = PaddedBoxes(boxes, torch.ones(boxes.shape[:2], dtype=torch.bool))
        framed = framed_truth(truth, torch.tensor([[height, width]]), protocol).xyxy[0]
        return {
            "id": plain(self.id),
            "picture": _jpeg(self.small().picture),
            "size": list(self.size),
            "label": self.label,
            "boxes": boxes[0].tolist(),
            "framed": framed.tolist(),
            "explained": [explained.json() for explained in self.explained],
        }


def to_levels(heat: Tensor) -> Levels:
    """Return a map (h, w) in 8 bits.

    >>> to_levels(torch.tensor([[-1.0, 0.0, 1.0]])).levels.tolist()
    [[0, 128, 255]]
    """
    low, high = heat.min().item(), heat.max().item()
    share = (heat.double() - low) / (high - low) if high > low else torch.zeros_like(heat)
    levels = torch.floor(share * LEVELS + 0.5).to(torch.uint8)  # round() rounds halves to even
    return Levels(levels, low, high)


def reduced(maps: Tensor) -> Tensor:
    """Return maps (K, h, w) with at most CELLS cells a side: means of cells."""
    size = [min(side, CELLS) for side in maps.shape[1:]]
    if list(maps.shape[1:]) == size:
        return maps
    return interpolate(maps[None], size=size, mode="area")[0]


def _jpeg(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=QUALITY, optimize=True)
    return _base64(buffer.getvalue())


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
