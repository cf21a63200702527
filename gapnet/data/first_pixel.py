"""Guesses from boxes whether annotations call the first pixel of an image 0 or 1.

The VOC format itself counts from 1, but many programs write files of this format that count from 0.
"""

from typing import NamedTuple

import numpy as np

from gapnet.data.annotated import AnnotatedImage, AnnotatedImages
from gapnet.errors import GapnetError


class Guess(NamedTuple):
    """The number of the first pixel, 0 or 1, and the reason in a few words."""

    first_pixel: int
    reason: str


class Evidence(NamedTuple):
    """Counts of boxes: all, those that start at 0, and those that end at the size of the image."""

    boxes: int
    starting_at_0: int
    ending_at_size: int

    def __add__(self, other: object) -> "Evidence":
        """Add the counts of two splits."""
        assert isinstance(other, Evidence)
        return Evidence(*(one + two for one, two in zip(self, other, strict=True)))


def evidence_of(images: AnnotatedImages) -> Evidence:
    """Count what the boxes of a split show; coordinates are as in the annotations."""
    boxes, sizes = images.boxes(), images.sizes()[images.owners()]
    drawn = ~np.isnan(boxes[:, 0])
    boxes, sizes = boxes[drawn], sizes[drawn]
    starting = (boxes[:, :2] < 1).any(1)
    ending = ((boxes[:, 2:] >= sizes[:, ::-1]) & (sizes > 0)).any(1)
    return Evidence(len(boxes), int(np.sum(starting)), int(np.sum(ending)))


def guess_first_pixel(evidence: Evidence) -> Guess:
    """Guess whether the first pixel is 0 or 1.

    A coordinate of 0 exists only if pixels count from 0. If there is none, a box that ends at the
    width or height of its image shows that they count from 1: otherwise it would end outside.
    """
    boxes, starting, ending = evidence
    if starting and ending:
        reason = (
            f"{starting} of {boxes} boxes start at 0, although {ending} end at the width or height "
            "of their image, one pixel beyond it"
        )
        return Guess(0, reason)
    if starting:
        return Guess(0, f"{starting} of {boxes} boxes start at 0")
    if ending:
        reason = f"none of {boxes} boxes starts at 0, and {ending} end at the width or height"
        return Guess(1, reason)
    return Guess(1, f"as the VOC format defines; none of {boxes} boxes shows it")


def counted_from_0(images: AnnotatedImages, first_pixel: int) -> AnnotatedImages:
    """Return images with boxes in pixels from 0, from boxes in pixels from `first_pixel`."""
    if not first_pixel:
        return images
    if evidence_of(images).starting_at_0:
        low = next(images.root / image.id for image in images if _starts_at_0(image))
        raise GapnetError(f"data.first_pixel=1: a box of {low} starts at 0; set data.first_pixel=0")
    return images.shifted(-first_pixel)


def _starts_at_0(image: AnnotatedImage) -> bool:
    return any(thing.box is not None and min(thing.box[:2]) < 1 for thing in image.objects)
