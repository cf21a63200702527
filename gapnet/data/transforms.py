"""Views: what of an image the network is shown, from a PIL image to bytes (3, H, W)."""

import torch
from PIL import Image
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

DECIMALS = 2  # of a window's pixels: torchvision moves points in single precision


def whole_view(input_size: tuple[int, int]) -> v2.Transform:
    """Show the whole image, without keeping its aspect: every box can be found."""
    return v2.Compose([v2.Resize(list(input_size)), v2.PILToTensor()])


def centre_view(input_size: tuple[int, int], *, margin: float = 256 / 224) -> v2.Transform:
    """Show the middle: make the shorter side `margin` times the input's, then crop the centre."""
    return v2.Compose(
        [
            v2.Resize(round(min(input_size) * margin)),
            v2.CenterCrop(list(input_size)),
            v2.PILToTensor(),
        ]
    )


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


def show(image: Image.Image, view: v2.Transform) -> tuple[Tensor, Tensor]:
    """Apply a view, and find the window that it shows.

    The image's corners ride along through the view, whatever it does along the axes; the window
    follows from where they come out.

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
