"""The gradient of a score (Simonyan, Vedaldi, Zisserman, 2014), for any network."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from gapnet.saliency.base import Seen, Targets
from gapnet.saliency.gradient.backprop import map_image_gradients

if TYPE_CHECKING:
    from gapnet.models.gapnet import GapNet


@dataclass(frozen=True)
class Gradient:
    """The pixels that a score depends on: M_c(x, y) = max over channels of |dS_c / dI(x, y)|."""

    def __call__(self, network: "GapNet", seen: Seen, targets: Targets) -> Tensor:
        """Return maps (B, K, H, W) of the images' size; every target takes a backward pass."""
        return map_image_gradients(network, seen.images, targets)

    def check(self, network: "GapNet") -> None:
        """Accept every network."""

    def passes(self, targets: int, size: tuple[int, int]) -> int:
        """Count one forward pass, which is recorded, and one backward pass per target."""
        return 1 + targets
