"""Networks with fewer units in every layer, to train from scratch where time is short."""

import math

import torch
from torch import Tensor, nn

from gapnet.errors import GapnetError
from gapnet.models.gapnet import GapNet
from gapnet.models.surgery import image_convs

NORM_VALUES = ("weight", "bias", "running_mean", "running_var")


def thin(network: GapNet, by: int) -> None:
    """Leave every layer the first of each `by` units; what an image or a class has stays whole.

    Weights that are left grow by the root of `by`, so that a layer gives values as large as before.
    """
    if not (isinstance(by, int) and by > 0):
        raise GapnetError(f"model.thin={by}: must be a whole number from 1 on")
    if by == 1:
        return
    takers = {f"trunk.{name}" for name in image_convs(network.trunk, network.facts.input_size)}
    for name, part in network.named_modules():
        match part:
            case nn.Conv2d():
                _thin_conv(part, name, by, of_image=name in takers)
            case nn.BatchNorm2d():
                _thin_norm(part, name, by)
            case nn.Linear():
                _thin_linear(part, name, by, of_classes=part is network.head.linear)
            case _ if list(part.parameters(recurse=False)):
                raise GapnetError(
                    f"model.thin={by}: {name} is a {type(part).__name__}, and only convs, batch "
                    "norms and linear layers can be thinned; leave it at 1"
                )


def _thin_conv(conv: nn.Conv2d, name: str, by: int, *, of_image: bool) -> None:
    given, taken = conv.in_channels, 1 if of_image else by
    inside = given // conv.groups
    conv.out_channels = _share(conv.out_channels, name, by)
    conv.in_channels = _share(inside, name, taken) * conv.groups
    conv.weight = _first(conv.weight, conv.out_channels, inside // taken, gain=math.sqrt(by))
    conv.bias = None if conv.bias is None else _first(conv.bias, conv.out_channels)


def _thin_linear(linear: nn.Linear, name: str, by: int, *, of_classes: bool) -> None:
    linear.out_features = _share(linear.out_features, name, 1 if of_classes else by)
    linear.in_features = _share(linear.in_features, name, by)
    gain = math.sqrt(by)
    linear.weight = _first(linear.weight, linear.out_features, linear.in_features, gain=gain)
    linear.bias = None if linear.bias is None else _first(linear.bias, linear.out_features)


def _thin_norm(norm: nn.BatchNorm2d, name: str, by: int) -> None:
    norm.num_features = _share(norm.num_features, name, by)
    for each in NORM_VALUES:
        values = getattr(norm, each)[: norm.num_features]
        setattr(norm, each, nn.Parameter(values) if each in norm._parameters else values)


def _share(units: int, name: str, by: int) -> int:
    if units % by:
        raise GapnetError(f"model.thin={by}: {name} has {units} units, which cannot be divided so")
    return units // by


def _first(values: Tensor, *counts: int, gain: float = 1.0) -> nn.Parameter:
    """Take the first values of each of the first dimensions."""
    with torch.no_grad():
        kept = values[tuple(slice(count) for count in counts)] * gain
    return nn.Parameter(kept.contiguous())
