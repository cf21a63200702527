"""Builds a network with class maps from any network."""

from collections.abc import Mapping, Sequence

from torch import Size, nn

from gapnet.errors import GapnetError
from gapnet.models.gapnet import Facts, GapNet
from gapnet.models.heads import Added, CamHead, Pool
from gapnet.models.preprocessing import prepared
from gapnet.models.surgery import cut as cut_off
from gapnet.models.surgery import output_sizes

MAP = 3  # dimensions of an image's maps: channels, height, width


def gapify(
    module: nn.Module,
    *,
    cut: str | None = None,
    num_classes: int,
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

    Args:
        module: takes images (B, 3, H, W).
        cut: the submodule whose output (B, C, h, w) the head takes, as in `named_modules()`.
        num_classes: of the new classifier.
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
    sizes = output_sizes(module, preparation.input_size, channels=len(preparation.mean))
    channels, *map_size = _maps_at(cut or "", sizes, module)
    trunk = cut_off(module, cut) if cut else module
    head = CamHead(channels, num_classes, added=Added.of(width), pool=pool, dropout=dropout)
    like = next(module.parameters(), None)
    facts = Facts.prepared(preparation, (map_size[0], map_size[1]), weights="as given")
    network = GapNet(trunk, head, facts)
    return network if like is None else network.to(like.device, like.dtype)


def _maps_at(cut: str, sizes: Mapping[str, Size], module: nn.Module) -> Size:
    """Return the size (C, h, w) of a submodule's output, or raise an error that lists all sizes."""
    if len(sizes.get(cut, ())) == MAP:
        return sizes[cut]
    name = type(module).__name__
    known = dict(module.named_modules())
    problem = (
        f"returns {tuple(sizes[cut])} per image, not a map (C, h, w)"
        if cut in sizes
        else f"returns no tensor, or {name} does not run it exactly once"
        if cut in known
        else f"is not a submodule of {name}"
    )
    maps = [
        f"{layer} {'x'.join(map(str, size))}" for layer, size in sizes.items() if len(size) == MAP
    ]
    error = GapnetError(f"cut={cut!r}: {problem}; see the list of possible cuts below")
    error.add_note("\n".join(maps))  # Python prints it below the error
    raise error
