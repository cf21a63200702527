"""Networks without class maps, split at their last map, for Grad-CAM and gradients."""

from collections.abc import Sequence

from torch import Tensor, fx, nn

from gapnet.errors import GapnetError
from gapnet.models.adoption.classifier_graph import brief
from gapnet.models.adoption.last_map import find_last_map
from gapnet.models.adoption.logits_check import random_images, same_logits
from gapnet.models.adoption.map_layout import MapLayout
from gapnet.models.adoption.no_class_maps import NoClassMapsError
from gapnet.models.adoption.split_graph import split_at
from gapnet.models.gapnet import Facts, GapNet
from gapnet.models.heads import CamHead
from gapnet.models.preprocessing import Preprocessing, prepared


class SplitTrunk(nn.Module):
    """The first half of a network, up to its last map."""

    def __init__(self, features: fx.GraphModule, layout: MapLayout) -> None:
        """Wrap the traced half."""
        super().__init__()
        self.features = features
        self.layout = layout

    def forward(self, images: Tensor) -> tuple[Tensor, tuple[object, ...]]:
        """Return maps (B, C, h, w) of images (B, 3, H, W), and what else the head takes."""
        features, *others = self.features(images)
        return self.layout.to_maps(features), (self.layout.prefix_of(features), *others)


class SplitHead(nn.Module):
    """The second half of a network, from its last map to the logits."""

    def __init__(self, features: fx.GraphModule, layout: MapLayout, num_classes: int) -> None:
        """Wrap the traced half."""
        super().__init__()
        self.features = features
        self.layout = layout
        self.num_classes = num_classes

    def forward(self, maps: Tensor, prefix: Tensor, *others: object) -> Tensor:
        """Return the logits (B, classes) of maps (B, C, h, w) and what the trunk returned."""
        inputs = (self.layout.from_maps(maps, prefix), *others)
        logits: Tensor = self.features(
            # Copies, because a layer may change its input in place
            *(value.clone() if isinstance(value, Tensor) else value for value in inputs)
        )
        return logits


class SplitNet(GapNet):
    """A network without class maps, with the same logits.

    Args:
        reason: why it has no class maps.
    """

    def __init__(self, trunk: SplitTrunk, head: SplitHead, facts: Facts, reason: str) -> None:
        """Join the halves."""
        super().__init__(trunk, head, facts)  # type: ignore[arg-type]  # uses below are overridden
        self.reason = reason

    @property
    def num_classes(self) -> int:
        """Return the number of classes."""
        count: int = self.head.num_classes  # type: ignore[assignment]
        return count

    def forward_features(self, images: Tensor) -> Tensor:
        """Return the features (B, C, h, w) of normalised images (B, 3, H, W)."""
        return self.forward_parts(images)[0]

    def forward_parts(self, images: Tensor) -> tuple[Tensor, tuple[object, ...]]:
        """Return the features (B, C, h, w) of normalised images, and what else the head takes."""
        maps, beside = self.trunk(images)
        return maps, beside

    def pooling_head(self) -> CamHead:
        """Raise an error: there is none."""
        raise NoClassMapsError(self.reason)


def split(
    module: nn.Module,
    *,
    input_size: int | tuple[int, int] | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    reason: str,
) -> SplitNet:
    """Return a classifier as a network that Grad-CAM and gradients can explain.

    Its features are its last map: those of a transformer are the normalised tokens that its last
    attention layer takes, without the class token. The weights are shared with `module`.

    Args:
        module: takes images (B, 3, H, W), returns logits (B, classes).
        input_size: of the images, as for `adopt`.
        mean: per channel, of pixels in 0..1.
        std: per channel, of pixels in 0..1.
        reason: why it has no class maps.
    """
    preparation = prepared(module, input_size=input_size, mean=mean, std=std)
    return split_prepared(module, preparation, reason=reason)


def split_prepared(module: nn.Module, preparation: Preprocessing, *, reason: str) -> SplitNet:
    """Split a classifier whose images are prepared in a given way."""
    channels, size = len(preparation.mean), preparation.input_size
    image = random_images(module, channels=channels, size=size)[:1]
    name = type(module).__name__
    try:
        trunk, head = _halves(module, image)
        facts = Facts.prepared(preparation, trunk.layout.grid, weights="as given")
        network = SplitNet(trunk, head, facts, reason)
        is_same = same_logits(module, network, image)
    except Exception as error:  # of any kind: traced parts of any network run here
        raise GapnetError(f"{name}: cannot be split at its last map ({brief(error)})") from error
    if not is_same:
        raise GapnetError(f"{name}: cannot be split at its last map without changing its logits")
    network.name = name
    network.train(module.training)
    return network


def _halves(module: nn.Module, image: Tensor) -> tuple[SplitTrunk, SplitHead]:
    last = find_last_map(module, image)
    first, second = split_at(module, last.graph, last.node)
    return SplitTrunk(first, last.layout), SplitHead(second, last.layout, last.classes)
