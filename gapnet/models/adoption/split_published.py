"""Published classifiers that have no class maps, for Grad-CAM and gradients."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gapnet.models.adoption.split_network import SplitNet, split_prepared
from gapnet.models.library import library_network, preparation_of, publisher_of
from gapnet.models.weights.load import take_file, take_published


def split_published(
    name: str,
    num_classes: int | None,
    *,
    pretrained: bool,
    weights: Path | None,
    reason: str,
    input_size: int | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> SplitNet:
    """Take a classifier of torchvision or timm as it is.

    Args:
        name: torchvision/NAME or timm/NAME.
        num_classes: None is the number of its published weights.
        pretrained: load the published weights.
        weights: a file of weights to load instead.
        reason: why it has no class maps.
        input_size: a side of the images; None is the size that its weights expect.
        mean: per channel, of pixels in 0..1; None is that of its weights.
        std: per channel, of pixels in 0..1; None is that of its weights.
    """
    own = preparation_of(name, input_size)
    preparation = replace(own, mean=tuple(mean or own.mean), std=tuple(std or own.std))
    module = library_network(name, num_classes, side=preparation.input_size[-1])
    network = split_prepared(module, preparation, reason=reason)
    publisher, architecture = publisher_of(name)
    network.published = publisher(architecture)
    if weights is not None:
        take_file(network, weights, reset_head=False)
    elif pretrained:
        take_published(network, reset_head=False)
    return network
