"""A small network; training it on the shapes data takes minutes on two cores."""

from torch import nn

from gapnet.models.gapnet import Facts, GapNet
from gapnet.models.heads import CamHead, Pool
from gapnet.models.registry import register
from gapnet.system.value_checks import whole_number

SMALLEST = 16  # pixels of a side, for a map of 4 x 4


def _conv(channels_in: int, channels_out: int, *, halve: bool = False) -> nn.Sequential:
    """Return a 3x3 conv, or a 4x4 conv of stride 2: an even kernel keeps its cells centred."""
    size, stride = (4, 2) if halve else (3, 1)
    conv = nn.Conv2d(channels_in, channels_out, size, stride=stride, padding=1, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return nn.Sequential(conv, nn.BatchNorm2d(channels_out), nn.ReLU(inplace=True))


@register
def tiny_gap(
    num_classes: int,
    *,
    input_size: int = 112,
    width: int = 64,
    pool: Pool = "avg",
    dropout: float = 0.0,
) -> GapNet:
    """Build four convs with batch norms, the last of `width` units, and a head without a conv.

    The map has a quarter of the input's side; the receptive field of a cell is 26 x 26 pixels.
    """
    whole_number("model.input_size", input_size, least=SMALLEST)
    whole_number("model.width", width, least=1)
    trunk = nn.Sequential(
        _conv(3, 16, halve=True), _conv(16, 48, halve=True), _conv(48, 64), _conv(64, width)
    )
    head = CamHead(width, num_classes, added=None, pool=pool, dropout=dropout)
    return GapNet(trunk, head, Facts.of(trunk, input_size))
