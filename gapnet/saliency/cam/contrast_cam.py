"""Class activation maps minus what all classes have in common."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from gapnet.errors import GapnetError
from gapnet.saliency.base import Seen, Targets, single

if TYPE_CHECKING:
    from gapnet.models.gapnet import GapNet


@dataclass(frozen=True)
class ContrastCam:
    """Class map minus the mean of the class maps of all N classes: M_c - sum_n M_n / N.

    A softmax does not change if the same number is added to all logits, so the loss leaves open
    what all class maps have in common. With average pooling, the mean of this map is the logit
    minus the mean logit, without biases.
    """

    def __call__(self, network: "GapNet", seen: Seen, targets: Targets) -> Tensor:
        """Return the maps (B, K, h, w); targets must be classes (B, K)."""
        if not isinstance(targets, Tensor):
            raise GapnetError(
                f"targets={targets!r}: saliency=contrast_cam maps classes only; for other targets "
                "use saliency=grad_cam"
            )
        head = network.pooling_head()
        weights = single(head.linear.weight)
        weights = weights - weights.mean(0)
        return single(head.weighted_maps(seen.features, weights[targets]))

    def check(self, network: "GapNet") -> None:
        """Raise an error if the network has no class maps, or only one class."""
        network.pooling_head()
        if network.num_classes == 1:
            raise GapnetError(
                f"saliency=contrast_cam: network {network.name!r} has one class, and nothing to "
                "compare it with; use saliency=cam"
            )

    def passes(self, targets: int, size: tuple[int, int]) -> int:
        """Return 0: a class map is made of the features."""
        return 0
