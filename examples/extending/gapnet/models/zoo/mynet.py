"""A network of your own: two convolutions, and class maps."""

from torch import nn

from gapnet.models.gapnet import Facts, GapNet
from gapnet.models.heads import CamHead
from gapnet.models.registry import register


# gapnet imports every file in this folder. `register` adds the function under its name, so that a
# configuration can say `_target_: gapnet.models.mynet`, and a checkpoint can be loaded again.
# All networks take in_channels, thin, pretrained, weights and reset_head; `register` adds these.
@register
def mynet(num_classes: int, *, input_size: int = 64, width: int = 32) -> GapNet:
    """Build two convolutions of stride 2, and a head with a class map for each class."""
    # The trunk turns images (B, 3, H, W) into features (B, width, H / 4, W / 4).
    trunk = nn.Sequential(
        nn.Conv2d(3, 16, 4, stride=2, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(16, width, 4, stride=2, padding=1),
        nn.ReLU(inplace=True),
    )
    # The head averages the features and applies one linear layer: this makes class maps exact.
    # `added` can put more convolutions between the trunk and the average.
    head = CamHead(width, num_classes, added=None)
    # Facts: the size of images and class maps; mean= and std= if they are not those of ImageNet.
    return GapNet(trunk, head, Facts.of(trunk, input_size))
