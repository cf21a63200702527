"""Makes a GapNet of a published network, with the classifier that the network already has."""

from collections.abc import Sequence

import torch
from torch import Tensor, fx, nn

from gapnet.errors import GapnetError
from gapnet.models.adoption.adopted_trunk import AdoptedTrunk, order_of
from gapnet.models.adoption.classifier_graph import (
    ClassifierGraph,
    find_classifier,
    pooled_outputs,
    trunk_graph,
)
from gapnet.models.adoption.logits_check import random_images, same_logits
from gapnet.models.adoption.map_layout import MapLayout, grid_of
from gapnet.models.adoption.no_class_maps import NoClassMapsError
from gapnet.models.gapnet import Facts, GapNet
from gapnet.models.heads import AdoptedHead
from gapnet.models.origin import name_origin, origin_of
from gapnet.models.preprocessing import Preprocessing, prepared


def adopt(
    module: nn.Module,
    *,
    input_size: int | tuple[int, int] | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> GapNet:
    """Return a classifier as a GapNet: same weights, same logits, and its own class maps.

    The network must end in global pooling, at most a layer norm, and one linear layer. The weights
    are shared with `module`. The logits of both are compared on random images.

    What is not given comes from the module if it is one of timm; it knows the preprocessing of its
    weights. For other modules it is 224 pixels, and ImageNet's mean and deviation.

    Args:
        module: takes images (B, 3, H, W), returns logits (B, classes).
        input_size: of the images, a side or (height, width), in pixels.
        mean: per channel, of pixels in 0..1.
        std: per channel, of pixels in 0..1.

    >>> from torchvision.models import mobilenet_v2
    >>> network = adopt(mobilenet_v2())
    >>> network.facts.map_size, network.num_classes
    ((7, 7), 1000)
    """
    preparation = prepared(module, input_size=input_size, mean=mean, std=std)
    return name_origin(adopt_prepared(module, preparation), "published", origin_of(module), {})


def adopt_prepared(module: nn.Module, preparation: Preprocessing) -> GapNet:
    """Adopt a classifier whose images are prepared in a given way."""
    like = next(module.parameters(), torch.empty(0))
    images = random_images(module, channels=len(preparation.mean), size=preparation.input_size)
    name = type(module).__name__
    classifier = find_classifier(module)
    try:
        trunk, channels, map_size = _trunk(module, classifier, images[:1])
    except GapnetError as error:
        raise NoClassMapsError.of(name, str(error)) from error
    head = AdoptedHead(
        None if classifier.linear is None else module.get_submodule(classifier.linear),
        None if classifier.norm is None else module.get_submodule(classifier.norm),
        channels=channels,
        pool=classifier.pool,
    )
    names = {"linear": classifier.linear, "norm": classifier.norm}
    head.layer_names = {theirs: own for own, theirs in names.items() if theirs is not None}
    facts = Facts.prepared(preparation, map_size, weights="as given")
    network = GapNet(trunk, head.to(like.device, like.dtype), facts)
    network.name = name
    network.train(module.training)
    if not like.is_meta and not same_logits(module, network, images):
        raise NoClassMapsError.of(name, "its logits do not follow from its pooled features alone")
    return network


def _trunk(
    module: nn.Module, classifier: ClassifierGraph, image: Tensor
) -> tuple[AdoptedTrunk, int, tuple[int, int]]:
    """Return the trunk, its channels, and the (height, width) of its maps for an image's size."""
    features, pooled = pooled_outputs(module, classifier, image)
    dims = _pooled_dims(classifier.pooling)
    if dims is None and pooled[2:].numel() != 1:
        raise GapnetError(f"its pooling leaves maps of {pooled[2]}x{pooled[3]}")
    layout, channels = _layout(module, features, dims)
    if layout.grid == (1, 1):
        raise GapnetError("its features are a single cell, because fully connected layers follow")
    return AdoptedTrunk(trunk_graph(module, classifier), layout), channels, layout.grid


def _layout(
    module: nn.Module, features: torch.Size, dims: Sequence[int] | None
) -> tuple[MapLayout, int]:
    """Return the layout of features of a size, (B, ...), and their channels."""
    order = order_of(features, dims)
    if order == "tokens":
        return MapLayout(order, grid_of(module, features[1])), features[2]
    if order == "channels_last":
        return MapLayout(order, (features[1], features[2])), features[3]
    return MapLayout(order, (features[2], features[3])), features[1]


def _pooled_dims(pooling: fx.Node) -> Sequence[int] | None:
    """Return the dimensions that a mean or a maximum is taken over; None for pooling of maps."""
    if pooling.op == "call_module" or pooling.target in (
        nn.functional.adaptive_avg_pool2d,
        nn.functional.adaptive_max_pool2d,
    ):
        return None
    dims = pooling.kwargs.get("dim", pooling.args[1] if len(pooling.args) > 1 else ())
    return [dims] if isinstance(dims, int) else list(dims)  # type: ignore[arg-type]
