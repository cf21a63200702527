"""A network that is cut after one of its submodules, with a head of its own."""

from collections.abc import Mapping

from torch import Size, nn

from gapnet.errors import GapnetError
from gapnet.models.gapnet import Facts, GapNet
from gapnet.models.heads import Added, CamHead, Pool
from gapnet.models.preprocessing import Preprocessing
from gapnet.models.surgery import cut as cut_off
from gapnet.models.surgery import output_sizes

MAP = 3  # dimensions of an image's maps: channels, height, width


def cut_network(
    module: nn.Module,
    cut: str | None,
    preparation: Preprocessing,
    *,
    num_classes: int,
    width: int | None,
    pool: Pool,
    dropout: float,
) -> GapNet:
    """Cut a network, and add a conv, pooling and a linear layer; see `gapify`."""
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
