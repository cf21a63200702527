"""Grad-CAM (Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra, ICCV 2017), for any network."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from gapnet.saliency.base import Seen, Targets, head_after, single
from gapnet.saliency.gradient.backprop import map_gradients

if TYPE_CHECKING:
    from gapnet.models.gapnet import GapNet


@dataclass(frozen=True)
class GradCam:
    """Features weighted by their mean gradient: M_c = ReLU(sum_k a_k^c f_k), equations 1 and 2.

    Behind average pooling this is the class map itself, over h * w and cut off below 0.
    """

    def __call__(self, network: "GapNet", seen: Seen, targets: Targets) -> Tensor:
        """Return maps (B, K, h, w) of the features that the head takes."""
        features = single(seen.features.detach())

        def to_map(gradient: Tensor) -> Tensor:
            weights = gradient.mean((-2, -1), keepdim=True)
            return (weights * features).sum(1).clamp(min=0)

        return map_gradients(head_after(network, seen), seen.features, targets, to_map)

    def check(self, network: "GapNet") -> None:
        """Accept every network."""

    def passes(self, targets: int, size: tuple[int, int]) -> int:
        """Return 0: only the head runs again, forward and backward, not the trunk."""
        return 0
