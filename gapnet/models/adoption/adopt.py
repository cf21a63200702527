"""Makes a GapNet of a published network, with the classifier that the network already has."""

from collections.abc import Sequence

import torch
from torch import Tensor, fx, nn

from gapnet.errors import GapnetError
from gapnet.models.adoption.adopted_trunk import AdoptedTrunk, grid_of, order_of
from gapnet.models.adoption.classifier_graph import (
    REMEDY,
    ClassifierGraph,
    find_classifier,
    pooled_outputs,
    trunk_graph,
)
from gapnet.models.gapnet import Facts, GapNet
from gapnet.models.heads import AdoptedHead
from gapnet.models.origin import name_origin, origin_of
from gapnet.models.preprocessing import Preprocessing, prepared
from gapnet.models.surgery import in_eval

TOLERANCE = 1e-4  # of the largest logit; float32 sums in another order differ by less
IMAGES = 2  # random ones, on which the logits are compared


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
    shape = (IMAGES, len(preparation.mean), *preparation.input_size)
    images = _random_images(shape).to(like)
    name = type(module).__name__
    classifier = find_classifier(module)
    try:
        trunk, channels, map_size = _trunk(module, classifier, images[:1])
    except GapnetError as error:
        raise GapnetError(f"{name}: {error}; {REMEDY}") from error
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
    if not like.is_meta:
        _check_logits(module, network, images)
    return network


def _random_images(shape: tuple[int, ...]) -> Tensor:
    with torch.device("cpu"):
        return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def _trunk(
    module: nn.Module, classifier: ClassifierGraph, image: Tensor
) -> tuple[AdoptedTrunk, int, tuple[int, int]]:
    """Return the trunk, its channels, and the (height, width) of its maps for an image's size."""
    features, pooled = pooled_outputs(module, classifier, image)
    dims = _pooled_dims(classifier.pooling)
    if dims is None and pooled[2:].numel() != 1:
        raise GapnetError(f"its pooling leaves maps of {pooled[2]}x{pooled[3]}")
    order = order_of(features, dims)
    if order == "tokens":
        _, tokens, channels = features
        height, width = grid = grid_of(module, tokens)
    else:
        grid = None
        channels, height, width = (
            features[1:] if order == "channels_first" else (features[3], *features[1:3])
        )
    if height * width == 1:
        raise GapnetError("its features are a single cell, because fully connected layers follow")
    return AdoptedTrunk(trunk_graph(module, classifier), order, grid), channels, (height, width)


def _pooled_dims(pooling: fx.Node) -> Sequence[int] | None:
    """Return the dimensions that a mean or a maximum is taken over; None for pooling of maps."""
    if pooling.op == "call_module" or pooling.target in (
        nn.functional.adaptive_avg_pool2d,
        nn.functional.adaptive_max_pool2d,
    ):
        return None
    dims = pooling.kwargs.get("dim", pooling.args[1] if len(pooling.args) > 1 else ())
    return [dims] if isinstance(dims, int) else list(dims)  # type: ignore[arg-type]


def _check_logits(module: nn.Module, network: GapNet, images: Tensor) -> None:
    """Refuse a network whose logits are not those of the module."""
    with torch.no_grad(), in_eval(module), in_eval(network):
        expected, logits = module(images), network(images)
    if expected.shape == logits.shape:
        scale = expected.abs().max()
        if bool(torch.isfinite(scale)) and bool(
            (logits - expected).abs().max() <= TOLERANCE * scale
        ):
            return
    raise GapnetError(
        f"{network.name}: its logits do not follow from its pooled features alone; {REMEDY}"
    )
