"""A network with another linear layer: class maps of new classes, without training (figure 8)."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gapnet.errors import GapnetError
from gapnet.models.builders import BUILDERS
from gapnet.models.gapnet import GapNet
from gapnet.models.heads import CamHead
from gapnet.models.registry import create


def with_linear(
    network: GapNet, weight: Tensor, *, bias: Tensor, classes: Sequence[str] | None = None
) -> GapNet:
    """Return a copy of a network with another linear layer, in eval mode.

    Its logits are `weight @ vector + bias`. With average pooling, the mean of a class map plus the
    bias is the logit, as in any network with class maps.

    Args:
        network: with any head whose last layer takes a vector.
        weight: (classes, C), for vectors of C numbers.
        bias: (classes,).
        classes: ids of the new classes.

    >>> network = create("tiny_gap", {"num_classes": 5, "input_size": 16})
    >>> with_linear(network, torch.zeros(2, 64), bias=torch.ones(2)).num_classes
    2
    """
    check_vector(network)
    width = network.head.linear.in_features
    if weight.shape[1:] != (width,) or bias.shape != weight.shape[:1]:
        raise GapnetError(
            f"weight {tuple(weight.shape)} and bias {tuple(bias.shape)}: must be (classes, {width})"
            f" and (classes,) for {network.name}"
        )
    changed = copy.deepcopy(network)
    like = network.head.linear.weight
    changed.head.linear = nn.Linear(width, len(weight), device=like.device, dtype=like.dtype)
    with torch.no_grad():
        changed.head.linear.weight.copy_(weight)
        changed.head.linear.bias.copy_(bias)
    changed.arguments = {**network.arguments, "num_classes": len(weight)}
    changed.classes = None if classes is None else tuple(classes)
    _check_rebuilt(changed)
    return changed.eval()


def check_vector(network: GapNet) -> None:
    """Refuse a network whose linear layer does not take a vector of the image."""
    if isinstance(network.head, CamHead) and network.head.pool == "max":
        raise GapnetError(
            f"network {network.name!r}: pools its class maps (pool=max), so its linear layer "
            "takes no vector; use pool=avg or pool=max_unit"
        )


def _check_rebuilt(network: GapNet) -> None:
    """Refuse a network that could not be loaded again: its features follow the classes."""
    if network.name not in BUILDERS:  # a network of the user's own code, which no file can name
        return
    with torch.device("meta"):
        rebuilt = create(network.name, network.arguments)
    if rebuilt.head.linear.weight.shape != network.head.linear.weight.shape:
        raise GapnetError(
            f"network {network.name!r}: its pooled features are its logits, so its linear "
            "layer cannot be replaced; use another network"
        )
