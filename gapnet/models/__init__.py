"""Networks by name, each a trunk and a head."""

from gapnet.models import (  # noqa: F401  (each registers its networks)
    alexnet,
    googlenet,
    nin,
    resnet,
    timm,
    tiny,
    vgg,
)
from gapnet.models.gapnet import Facts, GapNet
from gapnet.models.heads import Added, CamHead, FlatHead
from gapnet.models.registry import create, names, register

__all__ = ["Added", "CamHead", "Facts", "FlatHead", "GapNet", "create", "names", "register"]
