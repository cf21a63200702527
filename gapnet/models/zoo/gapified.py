"""Networks of torchvision and timm, cut after any of their submodules."""

from dataclasses import replace

from gapnet.models.cut_network import cut_network
from gapnet.models.gapnet import GapNet
from gapnet.models.heads import Pool
from gapnet.models.library import library_network, preparation_of, publisher_of
from gapnet.models.registry import register


@register
def gapified(
    num_classes: int,
    *,
    name: str = "torchvision/resnet50",
    cut: str | None = "layer3",
    width: int | None = 1024,
    pool: Pool = "avg",
    dropout: float = 0.0,
    input_size: int | list[int] | None = None,
    mean: list[float] | None = None,
    std: list[float] | None = None,
) -> GapNet:
    """Cut a network of torchvision or timm after a submodule, as `gapnet.gapify` does.

    Args:
        num_classes: of the data set.
        name: torchvision/NAME or timm/NAME; NAME.TAG chooses among several weights.
        cut: the submodule whose output is pooled, after an added conv.
        width: of the added conv; None adds no conv.
        pool: avg or max.
        dropout: probability that a channel is dropped before pooling.
        input_size: a side of the images or [height, width]; None is what its weights expect.
        mean: per channel, of pixels in 0..1; None is that of its weights.
        std: per channel, of pixels in 0..1; None is that of its weights.
    """
    own = preparation_of(name)
    sides = (input_size, input_size) if isinstance(input_size, int) else input_size
    size = own.input_size if sides is None else (sides[0], sides[1])
    preparation = replace(
        own,
        input_size=size,
        mean=own.mean if mean is None else tuple(mean),
        std=own.std if std is None else tuple(std),
    )
    module = library_network(name, side=size[-1])
    network = cut_network(
        module,
        cut,
        preparation,
        num_classes=num_classes,
        width=width,
        pool=pool,
        dropout=dropout,
    )
    publisher, architecture = publisher_of(name)
    network.published = publisher(architecture)
    return network
