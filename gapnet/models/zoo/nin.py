"""Network in Network (Lin, Chen, Yan, ICLR 2014), in the variant for ImageNet."""

from torch import nn

from gapnet.models.gapnet import Facts, GapNet
from gapnet.models.heads import CamHead, Pool
from gapnet.models.registry import register
from gapnet.models.surgery import initialise


def _block(
    channels: int, width: int, kernel: int, *, stride: int = 1, padding: int
) -> list[nn.Module]:
    """Return a conv and two convs of 1 x 1 after it, with a ReLU after every conv."""
    convs = [
        nn.Conv2d(channels, width, kernel, stride=stride, padding=padding),
        nn.Conv2d(width, width, 1),
        nn.Conv2d(width, width, 1),
    ]
    return [layer for conv in convs for layer in (conv, nn.ReLU(inplace=True))]


def _halve() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)


@register
def nin(
    num_classes: int, *, pool: Pool = "avg", dropout: float = 0.5, input_size: int = 224
) -> GapNet:
    """Build Network in Network unchanged: the 6 x 6 maps that it pools are its class maps.

    Its last conv of 1 x 1 is the linear layer of the head; no ReLU follows it.
    """
    trunk = nn.Sequential(
        *_block(3, 96, 11, stride=4, padding=0),
        _halve(),
        *_block(96, 256, 5, padding=2),
        _halve(),
        *_block(256, 384, 3, padding=1),
        _halve(),
        nn.Dropout(dropout),
        *_block(384, 1024, 3, padding=1)[:-2],
    )
    head = CamHead(1024, num_classes, added=None, pool=pool)
    return GapNet(initialise(trunk), head, Facts.of(trunk, input_size))
