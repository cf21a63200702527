"""Which objects overlap the region of a class map that is highly activated (figure 9)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gapnet.data.object_masks import NOTHING, ObjectMasks
from gapnet.system.value_checks import number, whole_number


@dataclass(frozen=True)
class OverlapRule:
    """When an object overlaps the highly activated region, and which objects are ranked.

    The paper gives only the number of objects in a list.

    Args:
        high: the region has the pixels whose map is at least this share of its maximum.
        overlap: an object overlaps it if at least this share of the object's pixels are inside.
        least: share of a scene's images that must have an object of the informative list.
        shown: objects of every list.
    """

    high: float = 0.5
    overlap: float = 0.5
    least: float = 0.1
    shown: int = 6

    def __post_init__(self) -> None:
        """Check the values."""
        number("high", self.high, above=0, most=1)
        number("overlap", self.overlap, above=0, most=1)
        number("least", self.least, least=0, most=1)
        whole_number("shown", self.shown, least=1)


class ObjectPixels(NamedTuple):
    """Pixels of an object class in an image, and those of them inside the region."""

    name: str
    pixels: int
    inside: int


class ImageObjects(NamedTuple):
    """The objects of an image, and its scene."""

    scene: int
    objects: Sequence[ObjectPixels]


class RankedObject(NamedTuple):
    """An object class in the images of a scene.

    Args:
        name: of the class.
        images: number of images that have it.
        overlapping: number of these in which it overlaps the region.
        total: number of images of the scene.
    """

    name: str
    images: int
    overlapping: int
    total: int

    @property
    def frequency(self) -> float:
        """Return the share of the scene's images that have the object."""
        return self.images / self.total

    @property
    def informative(self) -> float:
        """Return in which share of the images that have the object it overlaps the region."""
        return self.overlapping / self.images


def count_pixels(masks: ObjectMasks, region: NDArray[np.bool_]) -> list[ObjectPixels]:
    """Count the pixels of every object class, in all and inside the region (H, W)."""
    pixels: dict[str, int] = {}
    inside: dict[str, int] = {}
    for layer in masks.layers:
        for counts, part in ((pixels, layer), (inside, layer[region])):
            numbers = np.bincount(part.ravel())
            for index in np.flatnonzero(numbers).tolist():
                if index != NOTHING:
                    name = masks.name(index)
                    counts[name] = counts.get(name, 0) + int(numbers[index])
    return [ObjectPixels(name, pixels[name], inside.get(name, 0)) for name in sorted(pixels)]


def objects_of_scene(
    images: Sequence[ImageObjects], scene: int, rule: OverlapRule
) -> list[RankedObject]:
    """Return the objects of the images of a scene, sorted by name."""
    own = [image for image in images if image.scene == scene]
    present: dict[str, int] = {}
    overlapping: dict[str, int] = {}
    for image in own:
        for name, pixels, inside in image.objects:
            present[name] = present.get(name, 0) + 1
            overlaps = inside >= rule.overlap * pixels
            overlapping[name] = overlapping.get(name, 0) + overlaps
    return [
        RankedObject(name, present[name], overlapping[name], len(own)) for name in sorted(present)
    ]


def most_frequent(objects: Sequence[RankedObject], rule: OverlapRule) -> list[RankedObject]:
    """Return the objects that most images have."""
    ranked = sorted(objects, key=lambda thing: (-thing.images, thing.name))
    return ranked[: rule.shown]


def most_informative(objects: Sequence[RankedObject], rule: OverlapRule) -> list[RankedObject]:
    """Return the objects that overlap the region most often, where they are."""
    common = [thing for thing in objects if thing.overlapping and thing.frequency >= rule.least]
    ranked = sorted(common, key=lambda thing: (-thing.informative, -thing.images, thing.name))
    return ranked[: rule.shown]
