"""Class activation mapping (section 2 of the paper)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from gapnet.errors import GapnetError
from gapnet.saliency.base import Seen, Targets, single

if TYPE_CHECKING:
    from gapnet.models.gapnet import GapNet


@dataclass(frozen=True)
class Cam:
    """Features weighted by the weights of the class: M_c(x, y) = sum_k w_k^c f_k(x, y)."""

    def __call__(self, network: "GapNet", seen: Seen, targets: Targets) -> Tensor:
        """Return the class maps (B, K, h, w); targets must be classes (B, K)."""
        if not isinstance(targets, Tensor):
            raise GapnetError(
                f"targets={targets!r}: saliency=cam maps classes only; for other targets use "
                "saliency=grad_cam, grad_cam_plus_plus, gradient, guided, deconvnet or occlusion"
            )
        return single(network.class_maps(seen.features, targets))

    def check(self, network: "GapNet") -> None:
        """Raise an error if the network has no class maps."""
        network.pooling_head()

    def passes(self, targets: int, size: tuple[int, int]) -> int:
        """Return 0: a class map is made of the features."""
        return 0
