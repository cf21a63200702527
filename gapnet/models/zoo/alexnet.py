"""AlexNet in torchvision's variant: one column, no local response normalisation."""

from torch import nn
from torchvision.models import AlexNet

from gapnet.models.gapnet import Facts, GapNet
from gapnet.models.heads import Added, CamHead, FlatHead, Pool, Profile, is_caffe
from gapnet.models.registry import register
from gapnet.models.surgery import trunk_of
from gapnet.models.weights.published import Torchvision

CONV5, RELU5, POOL5 = 10, 11, 12  # of features
FC7 = 4096  # units


@register
def alexnet_gap(
    num_classes: int, *, pool: Pool = "avg", width: int = 1024, input_size: int = 224
) -> GapNet:
    """Cut AlexNet after conv5: maps of 13 x 13 (section 3)."""
    trunk = trunk_of(AlexNet, at=f"features.{RELU5}")
    head = CamHead(256, num_classes, added=Added(width), pool=pool)
    return GapNet(trunk, head, Facts.of(trunk, input_size), Torchvision("alexnet"))


@register
def alexnet_star_gap(
    num_classes: int, *, pool: Pool = "avg", profile: Profile = "modern", input_size: int = 224
) -> GapNet:
    """Add two convs to AlexNet, which loses accuracy with one: AlexNet* (section 3.1).

    The paper does not give their width; in the modern profile they have 1024 units, as in the other
    networks. The released definition also has a different conv5 and pooling after it.
    """
    if is_caffe(profile):
        trunk = trunk_of(_released, at=f"features.{POOL5}")
        added = Added(512, depth=2, groups=2, deviation=0.01, bias=1.0)
        head = CamHead(384, num_classes, added=added, pool=pool, dropout=0.5)
        published = Torchvision("alexnet", replaced=(f"features.{CONV5}",))
    else:
        trunk = trunk_of(AlexNet, at=f"features.{RELU5}")
        head = CamHead(256, num_classes, added=Added(depth=2), pool=pool)
        published = Torchvision("alexnet")
    return GapNet(trunk, head, Facts.of(trunk, input_size), published)


@register
def alexnet(num_classes: int, *, dropout: float = 0.5, input_size: int = 224) -> GapNet:
    """Build AlexNet unchanged; it has no class maps."""
    trunk = trunk_of(AlexNet, at="avgpool")
    layers = trunk_of(lambda: AlexNet(dropout=dropout).classifier, at="5")
    published = Torchvision("alexnet", head={"classifier.6": "linear", "classifier": "layers"})
    head = FlatHead(layers, FC7, num_classes)
    return GapNet(trunk, head, Facts.of(trunk, input_size), published)


def _released() -> AlexNet:
    """Return AlexNet with 384 units in conv5 and stride 1 in pool5: 13 x 13 becomes 11 x 11."""
    network = AlexNet()
    network.features[CONV5] = nn.Conv2d(256, 384, 3, padding=1)
    network.features[POOL5] = nn.MaxPool2d(3, stride=1)
    return network
