"""Removes the last strides of a network, so that its class maps have more cells."""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gapnet.errors import GapnetError
from gapnet.models.gapnet import GapNet
from gapnet.models.surgery import feature_size
from gapnet.models.taps import Arguments, watch

Size = tuple[int, int]
Layer = nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d


class UsedLayer(NamedTuple):
    """A layer, and the (height, width) of its input and output."""

    layer: Layer
    input: Size
    output: Size


def set_stride(network: GapNet, stride: int, *, dilate: bool) -> None:
    """Set the last strides of a trunk to 1, until a cell of its maps is `stride` pixels wide.

    With `dilate`, the convs after them are dilated and keep their receptive fields: every other
    cell of the new maps is a cell of the old ones. The weights do not change.
    """
    largest = _stride(network)
    while _stride(network) > stride:
        _remove_last_stride(network, dilate=dilate)
    if _stride(network) != stride:
        raise GapnetError(
            f"model.stride={stride}: must be a power of two, <= {largest} for {network.name}"
        )


def _stride(network: GapNet) -> int:
    """Return the width of a map's cell in pixels, rounded to a power of two."""
    cell = network.facts.input_size[1] / network.facts.map_size[1]
    strides: list[int] = [2**power for power in range(8)]
    return min(strides, key=lambda stride: abs(cell / stride - 1))


def _remove_last_stride(network: GapNet, *, dilate: bool) -> None:
    facts = network.facts
    used_layers = _used_layers(network.trunk, facts.input_size)
    for used in used_layers:
        if used.output == facts.map_size < used.input:
            used.layer.stride = (1, 1)
    if dilate:
        _dilate(used.layer for used in used_layers if used.input == facts.map_size)
    size = _new_map_size(network)
    if size <= facts.map_size:
        raise _refused(network, "no conv or pooling of its trunk has it")
    network.facts = replace(facts, map_size=size)


def _new_map_size(network: GapNet) -> Size:
    try:
        _, height, width = feature_size(network.trunk, network.facts.input_size)
    except GapnetError as error:
        raise _refused(network, "its branches would have maps of different sizes") from error
    return height, width


def _refused(network: GapNet, why: str) -> GapnetError:
    return GapnetError(
        f"model.stride: the last stride of this {type(network.trunk).__name__} cannot be removed, "
        f"because {why}; use model.stride=null and a larger model.input_size"
    )


def _dilate(layers: Iterable[Layer]) -> None:
    """Double the distance between the cells that a layer looks at, and its padding."""
    for layer in layers:
        if not isinstance(layer, nn.AvgPool2d):
            layer.dilation = _doubled(layer.dilation)
            if not isinstance(layer.padding, str):
                layer.padding = _doubled(layer.padding)


def _doubled(sides: int | tuple[int, ...]) -> tuple[int, int]:
    height, width = (sides, sides) if isinstance(sides, int) else sides
    return 2 * height, 2 * width


def _used_layers(trunk: nn.Module, input_size: Size) -> list[UsedLayer]:
    """Return the convs and poolings that a trunk runs, without repetition, with their sizes."""
    layers = {name: part for name, part in trunk.named_modules() if isinstance(part, Layer)}
    shadow = deepcopy(trunk).to("meta").eval()
    sizes: dict[str, tuple[Size, Size]] = {}

    def note(name: str, arguments: Arguments, output: object) -> None:
        (image, *_) = arguments
        assert isinstance(image, Tensor)
        assert isinstance(output, Tensor)
        sizes[name] = _sides(image), _sides(output)

    image = torch.zeros(1, 3, *input_size, device="meta")
    with torch.no_grad(), watch({name: shadow.get_submodule(name) for name in layers}, note):
        shadow(image)
    return [UsedLayer(layer, *sizes[name]) for name, layer in layers.items() if name in sizes]


def _sides(image: Tensor) -> Size:
    height, width = image.shape[-2:]
    return height, width
