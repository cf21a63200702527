import functools

import pytest
import torch

from gapnet.models import GapNet, create

# A few networks are tested in seconds, the others by CI.
SLOW = {
    "alexnet",
    "alexnet_star_gap",
    "googlenet",
    "googlenet_gap",
    "inception_v3_gap",
    "resnet101_gap",
    "resnet18_gap",
    "resnet50",
    "resnet50_gap",
    "timm_gap",
    "vgg16",
    "vgg16_bn",
    "vgg16_bn_gap",
    "vgg16_gap",
    "vgg19_bn_gap",
    "vgg19_gap",
}


def marks_of(name: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.slow] if name in SLOW else []


@functools.cache
def for_imagenet(name: str) -> GapNet:
    """Build a network for ImageNet's classes, on no device."""
    with torch.device("meta"):
        return create(name, {"num_classes": 1000}).eval()
