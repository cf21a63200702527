"""The part of a picture that a network is shown, and its maps in the whole picture."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import torch
from PIL import Image
from torch import Tensor

from gapnet.data.loading.views import apply_view, published_view, whole_view
from gapnet.models.gapnet import GapNet
from gapnet.ops.maps import upsample
from gapnet.system.value_checks import one_of

View = Literal["whole", "centre"]


class PreparedPictures(NamedTuple):
    """Normalised images (B, C, H, W), and the windows (B, 4) of the pictures that they show."""

    images: Tensor
    windows: Tensor


def prepare_pictures(
    network: GapNet, pictures: Sequence[Image.Image], view: View
) -> PreparedPictures:
    """Prepare pictures: resize the whole, or crop the centre as the weights were evaluated."""
    one_of("view", view, get_args(View))
    facts = network.facts
    transform = (
        whole_view(facts.input_size, interpolation=facts.interpolation)
        if view == "whole"
        else published_view(
            facts.input_size,
            interpolation=facts.interpolation,
            crop=facts.crop,
            squash=facts.squash,
        )
    )
    images, windows = zip(*(apply_view(picture, transform) for picture in pictures), strict=True)
    prepared = network.normalise(torch.stack(images).to(network.mean.device))
    return PreparedPictures(prepared, torch.stack(windows))


def in_whole_picture(maps: Tensor, window: Tensor, size: tuple[int, int]) -> Tensor:
    """Return maps (K, h, w) of a window (4,) at a picture's size; they are 0 around the window."""
    left, top, right, bottom = pixels_of_window(window, size)
    whole = torch.zeros(len(maps), *size)
    whole[:, top:bottom, left:right] = upsample(maps.float(), (bottom - top, right - left))
    return whole


def pixels_of_window(window: Tensor, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return a window (4,) as whole pixels of a picture: left, top, right, bottom."""
    height, width = size
    left, top, right, bottom = window.round().int().tolist()
    left, top = min(max(left, 0), width - 1), min(max(top, 0), height - 1)
    return left, top, min(max(right, left + 1), width), min(max(bottom, top + 1), height)


def describe_input(network: GapNet, view: View) -> str:
    """Describe how pictures are prepared for a network."""
    facts = network.facts
    height, width = facts.input_size
    part = "whole pictures" if view == "whole" else f"the central {facts.crop:.1%} of pictures"
    return f"{part} at {width} x {height} pixels, {facts.interpolation}"
