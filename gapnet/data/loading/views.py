"""Views: the part of an image that a network is shown, from a PIL image to bytes (3, H, W)."""

from math import floor

import torch
from PIL import Image
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from gapnet.data.loading.geometry import DECIMALS
from gapnet.system.value_checks import number, one_of

BILINEAR = "bilinear"
MARGIN = 256 / 224  # of the image's size to the crop's, as usual for ILSVRC
TINY = 1e-6  # so that 224 / (224 / 256) is 256


def whole_view(input_size: tuple[int, int], *, interpolation: str = BILINEAR) -> v2.Transform:
    """Show the whole image, without keeping its aspect, so that no box is cut off."""
    return v2.Compose([v2.Resize(list(input_size), _mode(interpolation)), v2.PILToTensor()])


def centre_view(
    input_size: tuple[int, int],
    *,
    margin: float = MARGIN,
    keep_aspect: bool = True,
    interpolation: str = BILINEAR,
) -> v2.Transform:
    """Show the middle: resize to `margin` times the input's size, then crop the centre."""
    resize = _resize(input_size, margin, keep_aspect=keep_aspect, interpolation=interpolation)
    return v2.Compose([resize, v2.CenterCrop(list(input_size)), v2.PILToTensor()])


def published_view(
    input_size: tuple[int, int],
    *,
    interpolation: str = BILINEAR,
    crop: float = 1 / MARGIN,
    squash: bool = False,
) -> v2.Transform:
    """Show the middle as in the evaluation of published weights.

    Args:
        input_size: (height, width).
        interpolation: of the resizing; this and the others follow from the network if the
            configuration does not say them.
        crop: side of the middle, divided by the shorter side of the resized image.
        squash: whether the resizing ignores the aspect.
    """
    number("view.crop", crop, above=0, most=1)
    height, width = (floor(side / crop + TINY) for side in input_size)  # as timm rounds
    size = [height, width] if squash else min(height, width)
    resize = v2.Resize(size, _mode(interpolation))
    return v2.Compose([resize, v2.CenterCrop(list(input_size)), v2.PILToTensor()])


def random_crop_view(
    input_size: tuple[int, int],
    *,
    margin: float = MARGIN,
    keep_aspect: bool = False,
    flip: float = 0.5,
) -> v2.Transform:
    """Show a part of the input's size, of an image resized to `margin` times that: Caffe's way."""
    resize = _resize(input_size, margin, keep_aspect=keep_aspect)
    crop = v2.RandomCrop(list(input_size))
    return v2.Compose([resize, crop, v2.RandomHorizontalFlip(flip), v2.PILToTensor()])


def random_view(
    input_size: tuple[int, int],
    *,
    scale: tuple[float, float] = (0.08, 1.0),
    ratio: tuple[float, float] = (3 / 4, 4 / 3),
    flip: float = 0.5,
) -> v2.Transform:
    """Show a part: `scale` of the area, `ratio` of width to height, `flip` of them mirrored."""
    crop = v2.RandomResizedCrop(list(input_size), scale=tuple(scale), ratio=tuple(ratio))
    return v2.Compose([crop, v2.RandomHorizontalFlip(flip), v2.PILToTensor()])


def _resize(
    input_size: tuple[int, int],
    margin: float,
    *,
    keep_aspect: bool,
    interpolation: str = BILINEAR,
) -> v2.Resize:
    """Resize the shorter side, or both, to `margin` times the input's."""
    height, width = (round(side * margin) for side in input_size)
    size = min(height, width) if keep_aspect else [height, width]
    return v2.Resize(size, _mode(interpolation))


def _mode(interpolation: str) -> v2.InterpolationMode:
    one_of("view.interpolation", interpolation, [mode.value for mode in v2.InterpolationMode])
    return v2.InterpolationMode(interpolation)


def apply_view(image: Image.Image, view: v2.Transform) -> tuple[Tensor, Tensor]:
    """Apply a view, and compute the window that it shows.

    The view transforms the corners of the image together with the image; the window follows from
    their new positions.

    Returns:
        The bytes (3, H, W), and the window's edges x1, y1, x2, y2 (4,) in pixels of the image.
    """
    width, height = image.size
    corners = tv_tensors.KeyPoints(
        [[0, 0], [width, height]], canvas_size=(height, width), dtype=torch.float64
    )
    shown, moved = view(image, corners)
    near, far = moved.as_subclass(Tensor)
    scale = (far - near) / torch.tensor([width, height])
    extent = torch.tensor([shown.shape[-1], shown.shape[-2]])
    window = torch.cat([-near / scale, (extent - near) / scale])
    return shown, window.round(decimals=DECIMALS).float()
