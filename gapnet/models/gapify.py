"""Builds a network with class maps from any network."""

from collections.abc import Sequence

from torch import nn

from gapnet.errors import GapnetError
from gapnet.models.adoption.adopt import adopt
from gapnet.models.cut_network import cut_network
from gapnet.models.gapnet import GapNet, Plain
from gapnet.models.heads import Pool
from gapnet.models.origin import name_origin, origin_of
from gapnet.models.preprocessing import Preprocessing, prepared


def gapify(
    module: nn.Module,
    *,
    cut: str | None = None,
    num_classes: int | None,
    width: int | None = 1024,
    pool: Pool = "avg",
    dropout: float = 0.0,
    input_size: int | tuple[int, int] | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> GapNet:
    """Cut a network after one of its submodules, and add a conv, pooling and a linear layer.

    The weights are shared with `module`. Without a cut, the output of `module` is used. If
    `input_size`, `mean` or `std` are not given, they come from the module if it is one of timm;
    for others they are 224 pixels and ImageNet's mean and deviation.

    The result can be saved and loaded if the module is one of torchvision or timm, unmodified. For
    others, register a function that builds it.

    Args:
        module: takes images (B, 3, H, W).
        cut: the submodule whose output (B, C, h, w) the head takes, as in `named_modules()`.
        num_classes: of the new classifier; None keeps the module's own classifier instead, as
            `adopt` does, and adds nothing.
        width: of the added conv; None adds no conv.
        pool: avg or max.
        dropout: probability that a channel is dropped before pooling.
        input_size: of the images, a side or (height, width), in pixels.
        mean: per channel, of pixels in 0..1.
        std: per channel, of pixels in 0..1.

    >>> from torchvision.models import mobilenet_v2
    >>> network = gapify(mobilenet_v2(), cut="features.13", num_classes=10)
    >>> network.facts.map_size
    (14, 14)
    """
    preparation = prepared(module, input_size=input_size, mean=mean, std=std)
    if num_classes is None:
        return _with_own_classifier(module, cut, preparation)
    network = cut_network(
        module,
        cut,
        preparation,
        num_classes=num_classes,
        width=width,
        pool=pool,
        dropout=dropout,
    )
    added: dict[str, Plain] = {"cut": cut, "width": width, "pool": pool, "dropout": dropout}
    return name_origin(network, "gapified", origin_of(module), added)


def _with_own_classifier(module: nn.Module, cut: str | None, preparation: Preprocessing) -> GapNet:
    if cut is not None:
        raise GapnetError(
            f"cut={cut!r} and num_classes=None: the module's own classifier takes its last "
            "features; leave out the cut, or set num_classes"
        )
    return adopt(
        module,
        input_size=preparation.input_size,
        mean=preparation.mean,
        std=preparation.std,
    )
