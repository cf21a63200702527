"""GoogLeNet and Inception v3 in torchvision's variants, with batch normalisation.

torchvision's weights of both expect inputs normalised by means and deviations of 0.5; torchvision
converts inputs normalised by ImageNet's (`transform_input`). Here 0.5 is the network's `mean` and
`std`. The auxiliary classifiers, which run in training only, are left out.
"""

from torchvision.models import GoogLeNet, Inception3

from gapnet.models.gapnet import Facts, GapNet
from gapnet.models.heads import Added, CamHead, Pool, Profile, is_caffe
from gapnet.models.registry import register
from gapnet.models.surgery import trunk_of
from gapnet.models.weights.published import Torchvision

HALVES = (0.5, 0.5, 0.5)


@register
def googlenet_gap(
    num_classes: int,
    *,
    pool: Pool = "avg",
    width: int = 1024,
    profile: Profile = "modern",
    input_size: int = 224,
) -> GapNet:
    """Cut GoogLeNet after inception4e, before its pooling: maps of 14 x 14 (section 3)."""
    trunk = trunk_of(_googlenet, at="inception4e")
    caffe = Added(width, groups=2, deviation=0.01, bias=1.0)
    added = caffe if is_caffe(profile) else Added(width)
    head = CamHead(832, num_classes, added=added, pool=pool)
    facts = Facts.of(trunk, input_size, mean=HALVES, std=HALVES)
    return GapNet(trunk, head, facts, Torchvision("googlenet"))


@register
def googlenet(
    num_classes: int, *, pool: Pool = "avg", dropout: float = 0.2, input_size: int = 224
) -> GapNet:
    """Build GoogLeNet unchanged; the 7 x 7 maps that it pools give its class maps."""
    trunk = trunk_of(_googlenet, at="inception5b")
    head = CamHead(1024, num_classes, added=None, pool=pool, dropout=dropout)
    facts = Facts.of(trunk, input_size, mean=HALVES, std=HALVES)
    return GapNet(trunk, head, facts, Torchvision("googlenet", head={"fc": "linear"}))


@register
def inception_v3_gap(
    num_classes: int,
    *,
    pool: Pool = "avg",
    width: int | None = 1024,
    dropout: float = 0.0,
    input_size: int = 299,
) -> GapNet:
    """Cut Inception v3 after Mixed_6e, its last block with maps of 17 x 17."""
    trunk = trunk_of(_inception_v3, at="Mixed_6e")
    head = CamHead(768, num_classes, added=Added.of(width), pool=pool, dropout=dropout)
    facts = Facts.of(trunk, input_size, mean=HALVES, std=HALVES)
    return GapNet(trunk, head, facts, Torchvision("inception_v3"))


def _googlenet() -> GoogLeNet:
    return GoogLeNet(aux_logits=False, init_weights=False)


def _inception_v3() -> Inception3:
    return Inception3(aux_logits=False, init_weights=False)
