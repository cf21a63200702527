"""Networks whose head is pooling and one linear layer, by name."""

from gapnet.models import tiny  # noqa: F401  (registers its networks)
from gapnet.models.gapnet import Facts, GapNet
from gapnet.models.heads import CamHead
from gapnet.models.registry import create, names, register

__all__ = ["CamHead", "Facts", "GapNet", "create", "names", "register"]
