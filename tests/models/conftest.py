import pytest

# One of each family is tested in seconds, the others by CI.
SLOW = {
    "alexnet",
    "googlenet",
    "inception_v3_gap",
    "resnet101_gap",
    "resnet50",
    "resnet50_gap",
    "vgg16",
    "vgg16_bn_gap",
    "vgg19_bn_gap",
    "vgg19_gap",
}


def marks_of(name: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.slow] if name in SLOW else []
