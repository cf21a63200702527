"""Class activation mapping (section 2 of the paper)."""

from dataclasses import dataclass

from torch import Tensor

from gapnet.models.gapnet import GapNet
from gapnet.saliency.base import Seen, single


@dataclass(frozen=True)
class Cam:
    """Weigh the features by the weights of the class: M_c(x, y) = sum_k w_k^c f_k(x, y)."""

    def __call__(self, network: GapNet, seen: Seen, classes: Tensor) -> Tensor:
        """Give the class maps (B, K, h, w)."""
        return single(network.class_maps(seen.features, classes))

    def check(self, network: GapNet) -> None:
        """Refuse a network without class maps."""
        network.pooling_head()

    def passes(self, classes: int, size: tuple[int, int]) -> int:
        """Count none: a class map is made of what has been seen."""
        return 0
