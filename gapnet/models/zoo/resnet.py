"""Residual networks, with larger maps if strides are removed."""

from torchvision.models import ResNet, get_model

from gapnet.models.builders import Builder
from gapnet.models.gapnet import Facts, GapNet
from gapnet.models.heads import Added, CamHead, Pool
from gapnet.models.registry import register
from gapnet.models.surgery import trunk_of, without_strides
from gapnet.models.weights.published import Torchvision
from gapnet.system.value_checks import one_of

UNSTRIDED = {
    7: (),
    14: ("layer4",),
    28: ("layer3", "layer4"),
}  # stages without stride, by size of the maps
CLASSIFIER = {"fc": "linear"}


def _gap(architecture: str, channels: int) -> Builder:
    """Register a residual network whose last stage has `channels`, and return its builder."""

    def build(
        num_classes: int,
        *,
        pool: Pool = "avg",
        width: int | None = 1024,
        map_size: int = 14,
        dropout: float = 0.0,
        input_size: int = 224,
    ) -> GapNet:
        """Keep all stages of a ResNet, with maps of `map_size` for an input of 224.

        Without `width` no conv is added, and the classifier is the ResNet's own.
        """
        trunk = trunk_of(lambda: _with_maps_of(architecture, map_size), at="layer4")
        head = CamHead(channels, num_classes, added=Added.of(width), pool=pool, dropout=dropout)
        published = Torchvision(architecture, head=CLASSIFIER if width is None else {})
        return GapNet(trunk, head, Facts.of(trunk, input_size), published)

    return register(build, name=f"{architecture}_gap")


resnet18_gap = _gap("resnet18", 512)
resnet50_gap = _gap("resnet50", 2048)
resnet101_gap = _gap("resnet101", 2048)


@register
def resnet50(num_classes: int, *, pool: Pool = "avg", input_size: int = 224) -> GapNet:
    """Build ResNet-50 unchanged; the 7 x 7 maps that it pools give its class maps."""
    trunk = trunk_of(lambda: get_model("resnet50", weights=None), at="layer4")
    head = CamHead(2048, num_classes, added=None, pool=pool)
    return GapNet(trunk, head, Facts.of(trunk, input_size), Torchvision("resnet50", CLASSIFIER))


def _with_maps_of(architecture: str, side: int) -> ResNet:
    one_of("model.map_size", side, UNSTRIDED)
    network: ResNet = get_model(architecture, weights=None)
    for stage in UNSTRIDED[side]:
        without_strides(network.get_submodule(stage))
    return network
