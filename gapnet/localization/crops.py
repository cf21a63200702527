"""How many looks a network takes at an image, and how what it sees becomes one."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, Protocol, get_args

import torch
from torch import Tensor

from gapnet.models.gapnet import GapNet
from gapnet.ops.crops import coverage, put_back, take, ten_crops
from gapnet.saliency.base import Saliency, Seen, look
from gapnet.system.value_checks import number, one_of

MARGIN = 256 / 224  # of the canvas's side to a crop's, in ILSVRC's customs
Merge = Literal["sum", "mean"]


class Looked(NamedTuple):
    """Hold what was seen of each crop, the logits (B, N) of all together, and the canvas's size."""

    seen: tuple[Seen, ...]
    logits: Tensor
    canvas: tuple[int, int]


class Crops(Protocol):
    """Look at images, and map the evidence over all of each."""

    @property
    def looks(self) -> int:
        """Count the forward passes that an image takes."""
        ...

    def canvas(self, input_size: tuple[int, int]) -> tuple[int, int]:
        """Say how large (height, width) the images must be that are handed in."""
        ...

    def look(self, network: GapNet, images: Tensor) -> Looked:
        """Look at normalised images (B, 3, H, W)."""
        ...

    def maps(self, saliency: Saliency, network: GapNet, looked: Looked, classes: Tensor) -> Tensor:
        """Map the evidence (B, K, h, w) for classes (B, K)."""
        ...


@dataclass(frozen=True)
class Single:
    """Take one look, at all that is shown."""

    looks: ClassVar[int] = 1

    def canvas(self, input_size: tuple[int, int]) -> tuple[int, int]:
        """Take images of the network's own size."""
        return input_size

    def look(self, network: GapNet, images: Tensor) -> Looked:
        """Look once."""
        seen = look(network, images)
        return Looked((seen,), seen.logits, _size(images))

    def maps(self, saliency: Saliency, network: GapNet, looked: Looked, classes: Tensor) -> Tensor:
        """Give the maps as they are."""
        return saliency(network, looked.seen[0], classes)


@dataclass(frozen=True)
class TenCrops:
    """Look at the corners, the middle and their mirror images; scores are the mean softmax.

    Args:
        margin: times a crop's sides are those of the canvas that crops are taken from.
        merge: of the crops' maps: "sum" adds their absolute values, as the released code does, so
            that the middle, which all crops cover, counts most; "mean" adds the maps and divides by
            how many crops cover a place.
    """

    margin: float = MARGIN
    merge: Merge = "sum"

    looks: ClassVar[int] = 10

    def __post_init__(self) -> None:
        """Check the values."""
        number("crops.margin", self.margin, least=1, below=math.inf)
        one_of("crops.merge", self.merge, get_args(Merge))

    def canvas(self, input_size: tuple[int, int]) -> tuple[int, int]:
        """Take images `margin` times as large."""
        height, width = input_size
        return round(height * self.margin), round(width * self.margin)

    def look(self, network: GapNet, images: Tensor) -> Looked:
        """Look at each crop; the logits are the logarithms of the mean softmax."""
        size, canvas = network.facts.input_size, _size(images)
        seen = tuple(look(network, take(images, crop, size)) for crop in ten_crops(canvas, size))
        shares = torch.stack([each.logits.float().log_softmax(1) for each in seen])
        return Looked(seen, shares.logsumexp(0) - math.log(len(seen)), canvas)

    def maps(self, saliency: Saliency, network: GapNet, looked: Looked, classes: Tensor) -> Tensor:
        """Lay every crop's maps where the crop was, and merge them: (B, K, *canvas)."""
        size, canvas = network.facts.input_size, looked.canvas
        crops = ten_crops(canvas, size)
        merged = torch.zeros(*classes.shape, *canvas, device=classes.device)
        for crop, seen in zip(crops, looked.seen, strict=True):
            maps = saliency(network, seen, classes).float()
            laid = put_back(maps.flatten(0, 1), crop, size, canvas).view_as(merged)
            merged += laid.abs() if self.merge == "sum" else laid
        return merged if self.merge == "sum" else merged / coverage(crops, size, canvas).to(merged)


def _size(images: Tensor) -> tuple[int, int]:
    height, width = images.shape[-2:]
    return height, width
