"""Part of an image that a torchvision view shows, as numbers; random numbers are drawn here."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms import v2

DECIMALS = 2  # of a window's coordinates: torchvision transforms points in single precision
Edges = tuple[int, int, int, int]  # left, top, right, bottom
Size = tuple[int, int]  # (height, width)
KNOWN = (  # steps of views, before one that may mirror and one that makes bytes
    [v2.RandomResizedCrop],
    [v2.Resize],
    [v2.Resize, v2.CenterCrop],
    [v2.Resize, v2.RandomCrop],
)


class Geometry(NamedTuple):
    """How an image is shown: a part of it is resized, cut, and perhaps mirrored.

    part: in pixels of the image. resized: (height, width) of the part after resizing. cut: the
    region of the resized part that is shown.
    """

    part: Edges
    resized: Size
    cut: Edges
    mirrored: bool = False

    def window(self, size: Size) -> Tensor:
        """Return the window (4,) of an image of a size; `apply_view` returns the same numbers."""
        height, width = size
        part_height, part_width = self.part[3] - self.part[1], self.part[2] - self.part[0]
        left, right = _edges(
            (self.part[0], self.part[2]),
            self.resized[1] / part_width,
            self.cut[::2],
            width,
            mirrored=self.mirrored,
        )
        top, bottom = _edges(
            (self.part[1], self.part[3]), self.resized[0] / part_height, self.cut[1::2], height
        )
        return torch.tensor([left, top, right, bottom])


def _edges(
    part: Sequence[int], ratio: float, cut: Sequence[int], length: int, *, mirrored: bool = False
) -> tuple[float, float]:
    """Return where a window begins and ends on one axis of an image, in the image's pixels."""
    factor, extent = float(np.float32(ratio)), cut[1] - cut[0]
    near, far = ((point - part[0]) * factor - cut[0] for point in (0.0, float(length)))
    if mirrored:
        near, far = extent - 1 - near, extent - 1 - far
    scale = (far - near) / length
    return _rounded(-near / scale), _rounded((extent - near) / scale)


def _rounded(position: float) -> float:
    """Round as torch does, which keeps the sign of zero."""
    return float(np.rint(position * 10.0**DECIMALS) / 10.0**DECIMALS)


class Plan:
    """Steps of a view: one that resizes, perhaps one that cuts and one that mirrors."""

    def __init__(self, steps: Sequence[v2.Transform]) -> None:
        """Take the steps; the first resizes."""
        self.first, *self.others = steps
        self.interpolation = v2.InterpolationMode(self.first.interpolation)

    def draw(self, size: Size) -> Geometry | None:
        """Draw the part of an image of this size that is shown; None if the view pads the image."""
        part, resized = _resized(self.first, size)
        cut, mirrored = (0, 0, resized[1], resized[0]), False
        for step in self.others:
            if isinstance(step, v2.RandomHorizontalFlip):
                mirrored = bool(torch.rand(1) < step.p)
                continue
            cut = _cut(step, resized)
            if min(cut) < 0:
                return None
        return Geometry(part, resized, cut, mirrored)


def plan_of(view: v2.Transform) -> Plan | None:
    """Return the steps of a view; None if one of them is not in KNOWN or has other options."""
    steps = list(view.transforms) if type(view) is v2.Compose else []
    if not steps or type(steps.pop()) is not v2.PILToTensor:
        return None
    kinds = [type(step) for step in steps]
    if kinds[-1:] == [v2.RandomHorizontalFlip]:
        kinds.pop()
    return Plan(steps) if kinds in KNOWN and all(map(_is_usual, steps)) else None


def _is_usual(step: v2.Transform) -> bool:
    """Return whether a step has no options beyond those of gapnet's views."""
    numbered = isinstance(getattr(step, "interpolation", None), int)  # by Pillow's constants
    pads = getattr(step, "padding", None) is not None or getattr(step, "pad_if_needed", False)
    limited = getattr(step, "max_size", None) is not None
    return not (numbered or pads or limited)


def _resized(step: v2.Transform, size: Size) -> tuple[Edges, Size]:
    """Return the part that a step takes, and its size after resizing."""
    height, width = size
    if isinstance(step, v2.RandomResizedCrop):
        drawn = step.make_params([torch.empty(1, *size, device="meta")])
        left, top = drawn["left"], drawn["top"]
        return (left, top, left + drawn["width"], top + drawn["height"]), tuple(step.size)
    whole = (0, 0, width, height)
    if len(step.size) > 1:
        return whole, tuple(step.size)
    short, long = step.size[0], int(step.size[0] * max(size) / min(size))
    return whole, (long, short) if width <= height else (short, long)


def _cut(step: v2.Transform, resized: Size) -> Edges:
    """Return the region that a step cuts out; negative edges if it pads the image."""
    (height, width), (rows, columns) = resized, step.size
    if isinstance(step, v2.CenterCrop):
        if rows > height or columns > width:
            return -1, -1, -1, -1
        top, left = round((height - rows) / 2), round((width - columns) / 2)
    else:
        drawn = step.make_params([torch.empty(1, *resized, device="meta")])
        top, left = drawn["top"], drawn["left"]
    return left, top, left + columns, top + rows
