"""The network: a trunk, a head, and facts about its images and maps."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from PIL.Image import Image
from torch import Tensor, nn
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2.functional import pil_to_tensor, resize, rgb_to_grayscale

from gapnet.errors import GapnetError
from gapnet.models.heads import CamHead, Head
from gapnet.models.hub_methods import HubMethods
from gapnet.models.preprocessing import CROP, IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from gapnet.models.surgery import RGB, add_colours, feature_size, image_convs
from gapnet.models.weights.published import Published
from gapnet.system.value_checks import whole_number
from gapnet.text.class_names import readable_names

Plain = str | int | float | bool | None | list[int] | list[float] | list[str]


@dataclass(frozen=True)
class Facts:
    """Facts about the images that a network takes, its maps and its weights.

    Args:
        input_size: (height, width) of its images.
        map_size: (height, width) of its class maps at that input.
        mean: per channel, of inputs in 0..1.
        std: per channel, of inputs in 0..1.
        weights: where its weights come from.
        interpolation: of the resizing of its images.
        crop: side of the central part that its weights were evaluated on, divided by the shorter
            side of the resized image.
        squash: whether that resizing ignores the aspect.
    """

    input_size: tuple[int, int]
    map_size: tuple[int, int]
    mean: Sequence[float] = IMAGENET_MEAN
    std: Sequence[float] = IMAGENET_STD
    weights: str = "random"
    interpolation: str = "bilinear"
    crop: float = CROP
    squash: bool = False

    @classmethod
    def of(
        cls,
        trunk: nn.Module,
        side: int,
        *,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
    ) -> "Facts":
        """Return the facts of a trunk for squares of `side` pixels."""
        whole_number("model.input_size", side, least=1)
        _, height, width = feature_size(trunk, (side, side))
        return cls((side, side), (height, width), mean, std)

    @classmethod
    def prepared(
        cls, preparation: Preprocessing, map_size: tuple[int, int], *, weights: str
    ) -> "Facts":
        """Return the facts of weights with their own preprocessing."""
        return cls(
            preparation.input_size,
            map_size,
            preparation.mean,
            preparation.std,
            weights,
            preparation.interpolation,
            preparation.crop,
            preparation.squash,
        )


class GapNet(HubMethods, nn.Module):
    """A network from images to features, and from features to logits and class maps."""

    mean: Tensor
    std: Tensor

    def __init__(
        self, trunk: nn.Module, head: Head, facts: Facts, published: Published | None = None
    ) -> None:
        """Join a trunk, images -> (B, C, h, w), and a head that takes these C channels.

        `published` are the published weights of the trunk, if there are any.
        """
        super().__init__()
        self.trunk = trunk
        self.head = head
        self.facts = facts
        self.published = published
        self.name = type(trunk).__name__  # the registry sets these two
        self.arguments: dict[str, Plain] = {}
        self.classes: tuple[str, ...] | None = None  # ids of the classes it was trained for
        self._own_names: tuple[str, ...] | None = (
            None  # of these classes, if the data set has names
        )
        self.multi_label = False  # whether an image may have several classes
        self.grey_weights: tuple[str, ...] = ()  # weights whose colours have been added
        self._set_normalisation()

    @property
    def num_classes(self) -> int:
        """Return the number of classes."""
        return self.head.linear.out_features

    @property
    def class_ids(self) -> list[str]:
        """Return the ids of the classes; without any, their indices as text."""
        return [*(self.classes or map(str, range(self.num_classes)))]

    @property
    def class_names(self) -> list[str]:
        """Return the names of the classes, for people; without any, their ids."""
        ids, names = self.class_ids, self._own_names
        return readable_names(ids, names if names and len(names) == len(ids) else None)

    def set_classes(self, ids: Sequence[str] | None, names: Sequence[str] | None = None) -> None:
        """Set the ids of the classes, in order, and their names, for people."""
        self.classes = None if ids is None else tuple(ids)
        self._own_names = None if names is None else tuple(names)

    @property
    def channels(self) -> int:
        """Return the number of channels of its images: 3, or 1 for grey images."""
        return len(self.facts.mean)

    def prepare(self, image: Image) -> Tensor:
        """Return an image of any size as the input of the network: (1, C, H, W).

        The whole image is resized by the interpolation of the weights, without keeping its aspect.
        """
        interpolation = InterpolationMode(self.facts.interpolation)
        resized = resize(image.convert("RGB"), list(self.facts.input_size), interpolation)
        return self.normalise(pil_to_tensor(resized)[None].to(self.mean.device))

    def normalise(self, images: Tensor) -> Tensor:
        """Return bytes (B, 3, H, W) as normalised floats, grey if the network takes grey images."""
        grey = self.channels == 1 and images.shape[1] == RGB
        images = rgb_to_grayscale(images) if grey else images
        values = images.to(self.mean.dtype, copy=True)
        return values.div_(255).sub_(self.mean).div_(self.std)  # in place: a third of the time

    def forward_features(self, images: Tensor) -> Tensor:
        """Return the features (B, C, h, w), which are pooled, of normalised images (B, 3, H, W)."""
        return self.head.embed(self.trunk(images))

    def forward_parts(self, images: Tensor) -> tuple[Tensor, tuple[object, ...]]:
        """Return the features, and the other inputs of the head; a head that pools has none."""
        return self.forward_features(images), ()

    def forward_head(self, features: Tensor, *beside: object) -> Tensor:
        """Return the logits (B, classes) of features (B, C, h, w) and the head's other inputs."""
        logits: Tensor = self.head(features, *beside)
        return logits

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (B, classes) of normalised images (B, 3, H, W)."""
        features, beside = self.forward_parts(images)
        return self.forward_head(features, *beside)

    def scores(self, logits: Tensor) -> Tensor:
        """Return the probabilities (B, classes) of logits: softmax, or sigmoid if multi-label."""
        return logits.float().sigmoid() if self.multi_label else logits.float().softmax(1)

    def class_maps(self, features: Tensor, classes: Tensor) -> Tensor:
        """Return the maps (B, K, h, w) of classes (B, K).

        Their mean (for max pooling, their maximum) plus the bias is the logit.
        """
        return self.pooling_head().class_maps(features, classes)

    def pooling_head(self) -> CamHead:
        """Return the head that pools; a network with fully connected layers raises an error."""
        if isinstance(self.head, CamHead):
            return self.head
        raise GapnetError(
            f"network {self.name!r} has no class maps: fully connected layers follow its "
            f"features; use {self.name}_gap, or Grad-CAM: saliency=grad_cam, or method=grad_cam in "
            "gapnet predict and gapnet.explain"
        )

    def see_grey(self) -> None:
        """Change the network to images of one channel."""
        convs = image_convs(self.trunk, self.facts.input_size)
        for name in convs:
            add_colours(self.trunk.get_submodule(name))
        self.grey_weights = tuple(f"trunk.{name}.weight" for name in convs)
        mean, std = (sum(values) / len(values) for values in (self.facts.mean, self.facts.std))
        self.facts = replace(self.facts, mean=(mean,), std=(std,))
        like = self.mean  # the network may have another type, or lie on another device
        self._set_normalisation()
        self.mean, self.std = self.mean.to(like), self.std.to(like)

    def _set_normalisation(self) -> None:
        for name, values in (("mean", self.facts.mean), ("std", self.facts.std)):
            self.register_buffer(name, torch.tensor(values).view(-1, 1, 1), persistent=False)
