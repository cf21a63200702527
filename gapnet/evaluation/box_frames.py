"""Frames in which published evaluations compute overlaps, and the conversion of boxes to them."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor


@dataclass(frozen=True)
class Frame:
    """A square that the image is stretched to, or the middle of it.

    Args:
        resize: side of the square.
        crop: side of the middle.
        whole: whether coordinates are integers there.
        clip: lowest and highest coordinate of a true box; None does not clip.
        shift: added to a true box before, in pixels of the file.
        order: in which a coordinate is multiplied and divided; it changes the last digit, and
            sometimes the integer.
    """

    resize: int
    crop: int
    whole: bool = True
    clip: tuple[float, float] | None = None
    shift: float = 0.0
    order: Literal["product", "share", "scale"] = "product"

    def true_boxes(self, boxes: Tensor, sizes: Tensor) -> Tensor:
        """Convert true boxes (N, M, 4) of images of sizes (N, 2): the corners are scaled."""
        sides = sizes.double().flip(-1).repeat(1, 2)[:, None].clamp(min=1)
        moved = self._scale(boxes.double() + self.shift, sides) - self._margin()
        if self.clip:
            moved = moved.clamp(*self.clip)
        return moved.trunc() if self.whole else moved

    def predicted_boxes(self, boxes: Tensor, sizes: Tensor) -> Tensor:
        """Convert predicted boxes (N, G, 4) of images of sizes (N, 2).

        Integer coordinates are those of the cells that a box covers: boxes that were computed from
        such cells are restored exactly. Otherwise the corners are scaled.
        """
        cell = sizes.double().flip(-1).repeat(1, 2)[:, None].clamp(min=1) / self.resize
        if not self.whole:
            return boxes / cell - self._margin()
        last = torch.tensor([0.0, 0.0, 1.0, 1.0], dtype=boxes.dtype)
        return ((boxes + last) / cell - last - self._margin()).round()

    def _scale(self, boxes: Tensor, sides: Tensor) -> Tensor:
        if self.order == "product":
            return boxes * self.resize / sides
        return (
            boxes / sides * self.resize if self.order == "share" else boxes * (self.resize / sides)
        )

    def _margin(self) -> float:
        return (self.resize - self.crop) / 2


@dataclass(frozen=True)
class FileFrame:
    """The pixels of the file: boxes are not converted."""

    def true_boxes(self, boxes: Tensor, sizes: Tensor) -> Tensor:
        """Return true boxes unchanged."""
        del sizes
        return boxes.double()

    def predicted_boxes(self, boxes: Tensor, sizes: Tensor) -> Tensor:
        """Return predicted boxes unchanged."""
        del sizes
        return boxes


FRAMES: dict[str, FileFrame | Frame] = {
    "file": FileFrame(),
    "wsol": Frame(224, 224),
    "tscam": Frame(224, 224, clip=(0, 223), order="share"),
    "psol": Frame(256, 224, whole=False, clip=(0, 224), shift=-1, order="scale"),
    "adl": Frame(256, 224, order="scale"),
}
