"""Frames in which published evaluations take overlaps: boxes go there from pixels of the file."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor


@dataclass(frozen=True)
class Frame:
    """Stretch an image to a square, and look at the middle of that.

    Args:
        resize: side of the square.
        crop: side of the middle.
        whole: whether coordinates are whole numbers there.
        clip: what is inside.
        shift: of a true box, in pixels of the file, beforehand.
        order: in which a coordinate is multiplied and divided, which moves the last digit, and so
            now and then the whole number.
    """

    resize: int
    crop: int
    whole: bool = True
    clip: tuple[float, float] | None = None
    shift: float = 0.0
    order: Literal["product", "share", "scale"] = "product"

    def truth(self, boxes: Tensor, sizes: Tensor) -> Tensor:
        """Carry true boxes (N, M, 4) of images of sizes (N, 2): the corners are scaled."""
        sides = sizes.double().flip(-1).repeat(1, 2)[:, None].clamp(min=1)
        moved = self._scale(boxes.double() + self.shift, sides) - self._margin()
        if self.clip:
            moved = moved.clamp(*self.clip)
        return moved.trunc() if self.whole else moved

    def found(self, boxes: Tensor, sizes: Tensor) -> Tensor:
        """Carry boxes (N, G, 4) that were found in images of sizes (N, 2).

        Where coordinates are whole, those of the cells that a box covers are meant: boxes that come
        from such cells come back unchanged. Elsewhere the corners are scaled.
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
class File:
    """Stay in the pixels of the file."""

    def truth(self, boxes: Tensor, sizes: Tensor) -> Tensor:
        """Leave true boxes as they are."""
        del sizes
        return boxes.double()

    def found(self, boxes: Tensor, sizes: Tensor) -> Tensor:
        """Leave boxes as they are."""
        del sizes
        return boxes


FRAMES: dict[str, File | Frame] = {
    "file": File(),
    "wsol": Frame(224, 224),
    "tscam": Frame(224, 224, clip=(0, 223), order="share"),
    "psol": Frame(256, 224, whole=False, clip=(0, 224), shift=-1, order="scale"),
    "adl": Frame(256, 224, order="scale"),
}
