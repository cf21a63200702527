"""Grad-CAM++ (Chattopadhyay, Sarkar, Howlader, Balasubramanian, WACV 2018), for any network."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from gapnet.saliency.base import Seen, Targets, head_after, single
from gapnet.saliency.gradient.backprop import map_gradients

if TYPE_CHECKING:
    from gapnet.models.gapnet import GapNet


@dataclass(frozen=True)
class GradCamPlusPlus:
    """Features weighted by their positive gradients, with a coefficient per position.

    M_c = ReLU(sum_k w_k^c f_k), where w_k^c = sum_xy a_k^c(x, y) ReLU(g_k^c(x, y)), and
    a = g^2 / (2 g^2 + g^3 sum_xy f_k), equations 5, 19 and 21. The features must be rectified.
    Here g is the gradient of the score S. The paper takes that of exp(S), which is exp(S) times as
    large: it scales the whole map and may overflow.
    """

    def __call__(self, network: "GapNet", seen: Seen, targets: Targets) -> Tensor:
        """Return maps (B, K, h, w) of the features that the head takes."""
        features = single(seen.features.detach())
        summed = features.sum((-2, -1), keepdim=True)

        def to_map(gradient: Tensor) -> Tensor:
            # g^2 is cancelled: where g is small, g^2 and g^3 underflow
            weighted = gradient.clamp(min=0) / (2 + gradient * summed)
            return (weighted.sum((-2, -1), keepdim=True) * features).sum(1).clamp(min=0)

        return map_gradients(head_after(network, seen), seen.features, targets, to_map)

    def check(self, network: "GapNet") -> None:
        """Accept every network."""

    def passes(self, targets: int, size: tuple[int, int]) -> int:
        """Return 0: only the head runs again, forward and backward, not the trunk."""
        return 0
