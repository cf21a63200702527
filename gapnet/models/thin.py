"""Networks with fewer units in every layer, for short trainings from scratch."""

import math

import torch
from torch import Tensor, nn

from gapnet.errors import GapnetError
from gapnet.models.gapnet import GapNet
from gapnet.models.surgery import image_convs

NORM_VALUES = ("weight", "bias", "running_mean", "running_var")


def thin(network: GapNet, by: int) -> None:
    """Reduce every layer to the first 1 / `by` of its units; image channels and classes stay.

    The remaining weights are multiplied by sqrt(by), so that a layer's values keep their size.
    """
    if not (isinstance(by, int) and by > 0):
        raise GapnetError(f"model.thin={by}: must be an integer >= 1")
    if by == 1:
        return
    first_convs = {f"trunk.{name}" for name in image_convs(network.trunk, network.facts.input_size)}
    for name, part in network.named_modules():
        match part:
            case nn.Conv2d():
                _thin_conv(part, name, by, of_image=name in first_convs)
            case nn.BatchNorm2d():
                _thin_norm(part, name, by)
            case nn.Linear():
                _thin_linear(part, name, by, of_classes=part is network.head.linear)
            case _ if list(part.parameters(recurse=False)):
                raise GapnetError(
                    f"model.thin={by}: {name} is a {type(part).__name__}, and only convs, batch "
                    "norms and linear layers can be thinned; use 1"
                )


def _thin_conv(conv: nn.Conv2d, name: str, by: int, *, of_image: bool) -> None:
    inputs = conv.in_channels // conv.groups
    inputs_by = 1 if of_image else by
    conv.out_channels = _share(conv.out_channels, name, by)
    conv.in_channels = _share(inputs, name, inputs_by) * conv.groups
    conv.weight = _first(conv.weight, conv.out_channels, inputs // inputs_by, gain=math.sqrt(by))
    conv.bias = None if conv.bias is None else _first(conv.bias, conv.out_channels)


def _thin_linear(linear: nn.Linear, name: str, by: int, *, of_classes: bool) -> None:
    linear.out_features = _share(linear.out_features, name, 1 if of_classes else by)
    linear.in_features = _share(linear.in_features, name, by)
    gain = math.sqrt(by)
    linear.weight = _first(linear.weight, linear.out_features, linear.in_features, gain=gain)
    linear.bias = None if linear.bias is None else _first(linear.bias, linear.out_features)


def _thin_norm(norm: nn.BatchNorm2d, name: str, by: int) -> None:
    norm.num_features = _share(norm.num_features, name, by)
    for key in NORM_VALUES:
        values = getattr(norm, key)
        first = values[: norm.num_features]
        setattr(norm, key, nn.Parameter(first) if isinstance(values, nn.Parameter) else first)


def _share(units: int, name: str, by: int) -> int:
    if units % by:
        raise GapnetError(
            f"model.thin={by}: {name} has {units} units, which cannot be divided by {by}"
        )
    return units // by


def _first(values: Tensor, *counts: int, gain: float = 1.0) -> nn.Parameter:
    """Return a parameter of the first values of every dimension that has a count."""
    with torch.no_grad():
        first = values[tuple(slice(count) for count in counts)] * gain
    return nn.Parameter(first.contiguous())
