"""Classifiers of torchvision and timm as they are published, nothing added."""

from dataclasses import replace

from gapnet.models.adoption.adopt import adopt_prepared
from gapnet.models.finer_maps import set_stride
from gapnet.models.gapnet import GapNet
from gapnet.models.heads import AdoptedHead
from gapnet.models.library import library_network, preparation_of, publisher_of
from gapnet.models.registry import register
from gapnet.models.surgery import initialise


@register
def published(
    num_classes: int | None,
    *,
    name: str = "torchvision/resnet50",
    input_size: int | None = None,
    mean: list[float] | None = None,
    std: list[float] | None = None,
    stride: int | None = None,
    dilate: bool = True,
) -> GapNet:
    """Take a classifier of torchvision or timm as it is, with its own classifier's class maps.

    Args:
        num_classes: None is the number of its published weights.
        name: torchvision/NAME or timm/NAME; NAME.TAG chooses among several weights.
        input_size: a side of the images; None is the size that its weights expect.
        mean: per channel, of pixels in 0..1; None is that of its weights.
        std: per channel, of pixels in 0..1; None is that of its weights.
        stride: pixels of the image per cell of the class maps, such as 16 in place of 32; the last
            strides of the network are removed for it. None leaves the network as it is.
        dilate: whether the convs after a removed stride keep their receptive fields.
    """
    preparation = preparation_of(name, input_size)
    preparation = replace(
        preparation,
        mean=preparation.mean if mean is None else tuple(mean),
        std=preparation.std if std is None else tuple(std),
    )
    module = library_network(name, num_classes, side=preparation.input_size[-1])
    network = adopt_prepared(module, preparation)
    publisher, architecture = publisher_of(name)
    assert isinstance(network.head, AdoptedHead)
    network.published = publisher(architecture, network.head.layer_names)
    if num_classes is not None and "linear" in network.head.layer_names.values():
        initialise(network.head.linear)  # timm's own initial weights are 15 times larger
    if stride is not None:
        set_stride(network, stride, dilate=dilate)
    return network
