"""Grad-CAM++ (Chattopadhyay, Sarkar, Howlader, Balasubramanian, WACV 2018), for any network."""

from dataclasses import dataclass

from torch import Tensor

from gapnet.models.gapnet import GapNet
from gapnet.saliency.base import Seen, single
from gapnet.saliency.gradient.backprop import map_gradients


@dataclass(frozen=True)
class GradCamPlusPlus:
    """Weigh the features by their positive gradients, each place by a share of its own.

    M_c = ReLU(sum_k w_k^c f_k), where w_k^c = sum_xy a_k^c(x, y) ReLU(g_k^c(x, y)), and
    a = g^2 / (2 g^2 + g^3 sum_xy f_k), equations 5, 19 and 21. Features are taken to be rectified.
    Here g is the gradient of the score S; that of the paper's exp(S) has one factor more, exp(S),
    which scales a map and may overflow.
    """

    def __call__(self, network: GapNet, seen: Seen, classes: Tensor) -> Tensor:
        """Give maps (B, K, h, w) of the features that the head takes."""
        features = single(seen.features.detach())
        summed = features.sum((-2, -1), keepdim=True)

        def to_map(gradient: Tensor) -> Tensor:
            # g^2 is cancelled: a float holds neither it nor g^3 where g is small
            weighted = gradient.clamp(min=0) / (2 + gradient * summed)
            return (weighted.sum((-2, -1), keepdim=True) * features).sum(1).clamp(min=0)

        return map_gradients(network.forward_head, seen.features, classes, to_map)

    def check(self, network: GapNet) -> None:
        """Take every network."""

    def passes(self, classes: int, size: tuple[int, int]) -> int:
        """Count none: forward and backward, only the head is passed again, not the trunk."""
        return 0
