"""Crops of an image that a network is run on, and how their maps and logits are merged."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, Protocol, get_args

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from gapnet.ops.crops import coverage, put_back, take, ten_crops
from gapnet.saliency.base import Saliency, Seen, look
from gapnet.system.value_checks import number, one_of

if TYPE_CHECKING:
    from gapnet.models.gapnet import GapNet

MARGIN = 256 / 224  # side of the canvas to side of a crop, as usual for ILSVRC
Merge = Literal["sum", "mean"]


class CropOutputs(NamedTuple):
    """Outputs per crop, the merged logits (B, N), and the size of the canvas."""

    seen: tuple[Seen, ...]
    logits: Tensor
    canvas: tuple[int, int]


class Crops(Protocol):
    """Interface of crops: they run a network on images, and return maps of whole images."""

    @property
    def looks(self) -> int:
        """Return the number of forward passes per image."""
        ...

    def canvas(self, input_size: tuple[int, int]) -> tuple[int, int]:
        """Return the size (height, width) that images must have."""
        ...

    def look(self, network: "GapNet", images: Tensor) -> CropOutputs:
        """Run the network on the crops of normalised images (B, 3, H, W)."""
        ...

    def maps(
        self, saliency: Saliency, network: "GapNet", outputs: CropOutputs, classes: Tensor
    ) -> Tensor:
        """Return maps (B, K, h, w) of classes (B, K)."""
        ...


@dataclass(frozen=True)
class Single:
    """One crop: the whole view."""

    looks: ClassVar[int] = 1

    def canvas(self, input_size: tuple[int, int]) -> tuple[int, int]:
        """Return the network's input size."""
        return input_size

    def look(self, network: "GapNet", images: Tensor) -> CropOutputs:
        """Run the network once."""
        seen = look(network, images)
        return CropOutputs((seen,), seen.logits, _size(images))

    def maps(
        self, saliency: Saliency, network: "GapNet", outputs: CropOutputs, classes: Tensor
    ) -> Tensor:
        """Return the maps of the only crop."""
        return saliency(network, outputs.seen[0], classes)


@dataclass(frozen=True)
class Mirrored:
    """The whole view and its mirror image; logits and maps are the means of both.

    With average pooling, the mean of a class map plus the bias is the logit, as for one view.
    """

    looks: ClassVar[int] = 2

    def canvas(self, input_size: tuple[int, int]) -> tuple[int, int]:
        """Return the network's input size."""
        return input_size

    def look(self, network: "GapNet", images: Tensor) -> CropOutputs:
        """Run the network on both."""
        seen = (look(network, images), look(network, images.flip(-1)))
        logits = torch.stack([view.logits for view in seen]).mean(0)
        return CropOutputs(seen, logits, _size(images))

    def maps(
        self, saliency: Saliency, network: "GapNet", outputs: CropOutputs, classes: Tensor
    ) -> Tensor:
        """Return the mean of the maps of both, the second mirrored back."""
        plain, mirrored = (saliency(network, view, classes) for view in outputs.seen)
        return (plain + mirrored.flip(-1)) / 2


@dataclass(frozen=True)
class TenCrops:
    """Ten crops: corners, middle and their mirror images; scores are the mean over the crops.

    Args:
        margin: side of the canvas that crops are taken from, divided by the side of a crop.
        merge: of the crops' maps: "sum" adds their absolute values, as the released code does, so
            that the middle, which all crops cover, counts most; "mean" adds the maps and divides by
            the number of crops that cover a pixel.
    """

    margin: float = MARGIN
    merge: Merge = "sum"

    looks: ClassVar[int] = 10

    def __post_init__(self) -> None:
        """Check the values."""
        number("crops.margin", self.margin, least=1, below=math.inf)
        one_of("crops.merge", self.merge, get_args(Merge))

    def canvas(self, input_size: tuple[int, int]) -> tuple[int, int]:
        """Return the input size times `margin`."""
        height, width = input_size
        return round(height * self.margin), round(width * self.margin)

    def look(self, network: "GapNet", images: Tensor) -> CropOutputs:
        """Run the network on all crops; the logits are those of the mean scores."""
        size, canvas = network.facts.input_size, _size(images)
        seen = tuple(look(network, take(images, crop, size)) for crop in ten_crops(canvas, size))
        logits = torch.stack([crop.logits.float() for crop in seen])
        merged = _of_mean_sigmoid(logits) if network.multi_label else _of_mean_softmax(logits)
        return CropOutputs(seen, merged, canvas)

    def maps(
        self, saliency: Saliency, network: "GapNet", outputs: CropOutputs, classes: Tensor
    ) -> Tensor:
        """Place the maps of all crops on the canvas, and merge them: (B, K, *canvas)."""
        size, canvas = network.facts.input_size, outputs.canvas
        crops = ten_crops(canvas, size)
        merged = torch.zeros(*classes.shape, *canvas, device=classes.device)
        for crop, seen in zip(crops, outputs.seen, strict=True):
            maps = saliency(network, seen, classes).float()
            placed = put_back(maps.flatten(0, 1), crop, size, canvas).view_as(merged)
            merged += placed.abs() if self.merge == "sum" else placed
        return merged if self.merge == "sum" else merged / coverage(crops, size, canvas).to(merged)


def _of_mean_softmax(logits: Tensor) -> Tensor:
    """Return the logarithms (B, N) of the mean softmax of logits (crops, B, N)."""
    return logits.log_softmax(2).logsumexp(0) - math.log(len(logits))


def _of_mean_sigmoid(logits: Tensor) -> Tensor:
    """Return the logits (B, N) whose sigmoid is the mean sigmoid of logits (crops, B, N)."""
    return logsigmoid(logits).logsumexp(0) - logsigmoid(-logits).logsumexp(0)


def _size(images: Tensor) -> tuple[int, int]:
    height, width = images.shape[-2:]
    return height, width
