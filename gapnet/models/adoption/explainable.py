"""Makes a network that saliency methods can explain of any classifier."""

from torch import nn

from gapnet.models.adoption.adopt import adopt
from gapnet.models.adoption.no_class_maps import NoClassMapsError
from gapnet.models.adoption.split_network import split
from gapnet.models.gapnet import GapNet


def explainable(module: nn.Module) -> GapNet:
    """Return a classifier with its class maps, or, if it has none, split at its last map."""
    try:
        return adopt(module)
    except NoClassMapsError as error:
        return split(module, reason=str(error))
