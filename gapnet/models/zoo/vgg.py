"""VGG networks with 16 and 19 layers, with and without batch normalisation."""

from torchvision.models import VGG, get_model

from gapnet.models.builders import Builder
from gapnet.models.gapnet import Facts, GapNet
from gapnet.models.heads import Added, CamHead, FlatHead, Pool, Profile, is_caffe
from gapnet.models.registry import register
from gapnet.models.surgery import trunk_of
from gapnet.models.weights.published import Torchvision

CONV5 = 512  # units
FC7 = 4096


def _gap(architecture: str) -> Builder:
    """Register a VGG that is cut after the last ReLU of conv5, and return its builder."""

    def build(
        num_classes: int,
        *,
        pool: Pool = "avg",
        width: int = 1024,
        profile: Profile = "modern",
        input_size: int = 224,
    ) -> GapNet:
        """Cut a VGG after conv5, before its pooling: maps of 14 x 14 (section 3)."""
        caffe = is_caffe(profile)
        trunk = trunk_of(lambda: _unpooled(architecture), at="features")
        added = Added(width, groups=2, deviation=0.01) if caffe else Added(width)
        head = CamHead(CONV5, num_classes, added=added, pool=pool, dropout=0.5 if caffe else 0.0)
        return GapNet(trunk, head, Facts.of(trunk, input_size), Torchvision(architecture))

    return register(build, name=f"{architecture}_gap")


vgg16_gap = _gap("vgg16")
vgg19_gap = _gap("vgg19")
vgg16_bn_gap = _gap("vgg16_bn")
vgg19_bn_gap = _gap("vgg19_bn")


def _published(architecture: str) -> Builder:
    """Register an unchanged VGG, and return its builder."""

    def build(num_classes: int, *, dropout: float = 0.5, input_size: int = 224) -> GapNet:
        """Build a VGG unchanged; it has no class maps."""
        trunk = trunk_of(lambda: _vgg(architecture), at="avgpool")
        layers = trunk_of(lambda: _vgg(architecture, dropout=dropout).classifier, at="5")
        published = Torchvision(
            architecture, head={"classifier.6": "linear", "classifier": "layers"}
        )
        head = FlatHead(layers, FC7, num_classes)
        return GapNet(trunk, head, Facts.of(trunk, input_size), published)

    return register(build, name=architecture)


vgg16 = _published("vgg16")
vgg16_bn = _published("vgg16_bn")


def _vgg(architecture: str, *, dropout: float = 0.5) -> VGG:
    network: VGG = get_model(architecture, weights=None, init_weights=False, dropout=dropout)
    return network


def _unpooled(architecture: str) -> VGG:
    network = _vgg(architecture)
    network.features = network.features[:-1]
    return network
