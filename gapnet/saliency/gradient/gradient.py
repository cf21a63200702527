"""The gradient of a class's score (Simonyan, Vedaldi, Zisserman, 2014), for any network."""

from dataclasses import dataclass

from torch import Tensor

from gapnet.models.gapnet import GapNet
from gapnet.saliency.base import Seen
from gapnet.saliency.gradient.backprop import map_image_gradients


@dataclass(frozen=True)
class Gradient:
    """Ask which pixels a score hangs on: M_c(x, y) = max over channels of |dS_c / dI(x, y)|."""

    def __call__(self, network: GapNet, seen: Seen, classes: Tensor) -> Tensor:
        """Give maps (B, K, H, W) of the images' own size; each class takes a backward pass."""
        return map_image_gradients(network, seen, classes)

    def check(self, network: GapNet) -> None:
        """Take every network."""

    def passes(self, classes: int, size: tuple[int, int]) -> int:
        """Count one forward, which is recorded, and one backward per class."""
        return 1 + classes
