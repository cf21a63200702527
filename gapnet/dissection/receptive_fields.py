"""Receptive fields of units: in theory, and measured by occlusion (Zhou et al., ICLR 2015)."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from gapnet.errors import GapnetError
from gapnet.models.gapnet import GapNet
from gapnet.models.taps import tap
from gapnet.system.value_checks import number, whole_number

LARGEST = 4096  # pixels of a side up to which an image is enlarged to hold a field
WITHOUT_EFFECT = (nn.ReLU, nn.ReLU6, nn.SiLU, nn.GELU, nn.Hardswish, nn.LocalResponseNorm)
NORMALISATIONS = (nn.BatchNorm2d, nn.GroupNorm, nn.Dropout, nn.Dropout2d)
BATCH = 64  # occluded images in one pass


def theoretical_field(network: GapNet, layer: str) -> tuple[int, int]:
    """Return the (height, width) in pixels of the region that a unit in the middle depends on.

    It is where the gradient of the unit is not 0 if all weights are 1, maxima are means, and there
    are no nonlinear functions and no normalisation, so that no path cancels or blocks another.
    """
    plain = _plain_copy(network)
    size = list(network.facts.input_size)
    while max(size) <= LARGEST:
        touched = _touched(plain, layer, (size[0], size[1]))
        rows, columns = (touched.any(axis).nonzero().flatten() for axis in (1, 0))
        spans = [(int(found[0]), int(found[-1])) for found in (rows, columns)]
        if all(low > 0 and high < side - 1 for (low, high), side in zip(spans, size, strict=True)):
            return spans[0][1] - spans[0][0] + 1, spans[1][1] - spans[1][0] + 1
        size = [2 * side for side in size]
    raise GapnetError(
        f"layer={layer}: its units depend on more than {LARGEST // 2} pixels, or on the whole image"
    )


def _plain_copy(network: GapNet) -> GapNet:
    """Return a copy whose convolutions add up their inputs, and whose other layers do nothing."""
    copy = deepcopy(network).cpu().double().eval()
    for name, module in list(copy.named_modules()):
        parent, _, own = name.rpartition(".")
        if isinstance(module, WITHOUT_EFFECT + NORMALISATIONS):
            setattr(copy.get_submodule(parent), own, nn.Identity())
        elif isinstance(module, nn.MaxPool2d):
            options = (module.kernel_size, module.stride, module.padding, module.ceil_mode)
            setattr(copy.get_submodule(parent), own, nn.AvgPool2d(*options))
        elif isinstance(module, nn.Conv2d):
            nn.init.ones_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return copy


def _touched(network: GapNet, layer: str, size: tuple[int, int]) -> Tensor:
    """Return which pixels (H, W) the unit in the middle of a layer depends on."""
    image = torch.ones(1, network.channels, *size, dtype=torch.float64, requires_grad=True)
    with torch.enable_grad(), tap(network, [layer]) as seen:
        network.forward_features(image)
        maps = seen[layer]
        middle = maps[0, :, maps.shape[2] // 2, maps.shape[3] // 2].sum()
        (gradient,) = torch.autograd.grad(middle, image)
    return gradient[0].abs().sum(0) > 0


@dataclass(frozen=True)
class Occluder:
    """Squares of noise that slide over an image.

    Args:
        side: of a square, in pixels.
        stride: between two squares, in pixels.
        cut: share of the largest change from which on a pixel belongs to the field. The paper does
            not state it.
    """

    side: int = 11
    stride: int = 3
    cut: float = 0.2

    def __post_init__(self) -> None:
        """Check the values."""
        whole_number("side", self.side, least=1)
        whole_number("stride", self.stride, least=1)
        number("cut", self.cut, above=0, below=1)


@dataclass(frozen=True)
class MeasuredField:
    """Changes of a unit by the place of the occluder, around its maximum, and the field in it.

    Args:
        changes: mean over the images, (2 H - 1, 2 W - 1); the place of the maximum is the middle.
        mask: the field, of the same shape.
    """

    changes: Tensor
    mask: Tensor

    @property
    def size(self) -> float:
        """Return the side in pixels of a square with the area of the field."""
        return sqrt(float(self.mask.sum()))


@torch.inference_mode()
def measured_field(
    network: GapNet,
    layer: str,
    unit: int,
    images: Tensor,
    *,
    occluder: Occluder = Occluder(),
    seed: int = 0,
) -> MeasuredField:
    """Return the receptive field of a unit, measured on images that activate it most.

    Every image is occluded at a grid of places, and the change of the unit at the place of its
    maximum is recorded. These maps of changes are shifted so that the maxima lie in the middle, and
    averaged.

    Args:
        network: in eval mode.
        layer: of the unit.
        unit: its number, from 0 on.
        images: normalised, (N, 3, H, W); the paper takes the 25 with the highest maximum.
        occluder: that slides over the images.
        seed: of its noise.
    """
    generator = torch.Generator().manual_seed(seed)
    total, weight = torch.zeros(()), torch.zeros(())
    for image in images:
        changes, place = _changes(
            network, layer, unit, image, occluder=occluder, generator=generator
        )
        total = total + _centred(changes, place)
        weight = weight + _centred(torch.ones_like(changes), place)
    mean = total / weight.clamp(min=1)
    return MeasuredField(mean, mean > occluder.cut * mean.max())


def _changes(
    network: GapNet,
    layer: str,
    unit: int,
    image: Tensor,
    *,
    occluder: Occluder,
    generator: torch.Generator,
) -> tuple[Tensor, tuple[int, int]]:
    """Return the mean change by pixel (H, W) over the squares on it, and the maximum's pixel."""
    heat = _unit_maps(network, layer, unit, image[None])[0]
    row, column = divmod(int(heat.argmax()), heat.shape[1])
    height, width = image.shape[1:]
    sums, counts = torch.zeros(height, width), torch.zeros(height, width)
    noise = torch.randn(image.shape[0], occluder.side, occluder.side, generator=generator)
    places = list(_places((height, width), occluder))
    for start in range(0, len(places), BATCH):
        some = places[start : start + BATCH]
        occluded = image.repeat(len(some), 1, 1, 1)
        for copy, (y, x) in zip(occluded, some, strict=True):
            region = copy[:, y : y + occluder.side, x : x + occluder.side]
            region.copy_(noise[:, : region.shape[1], : region.shape[2]])
        values = _unit_maps(network, layer, unit, occluded)[:, row, column]
        for value, (y, x) in zip((heat[row, column] - values).abs().tolist(), some, strict=True):
            sums[y : y + occluder.side, x : x + occluder.side] += value
            counts[y : y + occluder.side, x : x + occluder.side] += 1
    centre = (_pixel(row, heat.shape[0], height), _pixel(column, heat.shape[1], width))
    return sums / counts.clamp(min=1), centre


def _unit_maps(network: GapNet, layer: str, unit: int, images: Tensor) -> Tensor:
    """Return the maps (N, h, w) of a unit."""
    with tap(network, [layer]) as seen:
        network.forward_features(images.to(network.mean))
    maps = seen[layer]
    if not 0 <= unit < maps.shape[1]:
        raise GapnetError(f"unit={unit}: must be an integer >= 0 and < {maps.shape[1]}")
    return maps[:, unit].float().cpu()


def _places(size: tuple[int, int], occluder: Occluder) -> Iterator[tuple[int, int]]:
    """Yield the corners of squares; those at the edges reach half beyond the image at most."""
    for y in range(0, size[0] - occluder.side // 2, occluder.stride):
        for x in range(0, size[1] - occluder.side // 2, occluder.stride):
            yield y, x


def _pixel(cell: int, cells: int, pixels: int) -> int:
    """Return the pixel under the centre of a cell."""
    return int((cell + 0.5) * pixels / cells)


def _centred(values: Tensor, place: tuple[int, int]) -> Tensor:
    """Return values (H, W) in a frame (2 H - 1, 2 W - 1) whose middle is `place`."""
    (height, width), (row, column) = values.shape, place
    edges = (width - 1 - column, column, height - 1 - row, row)
    return pad(values, edges)
