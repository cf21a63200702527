"""A saliency method of your own: class maps without negative evidence."""

from dataclasses import dataclass

from torch import Tensor

from gapnet.errors import GapnetError
from gapnet.models.gapnet import GapNet
from gapnet.saliency.base import Seen, Targets, single


# A method is a frozen dataclass; its fields are its hyper-parameters. A configuration names it by
# its package, `gapnet.saliency.MyMethod`, whichever file defines it.
@dataclass(frozen=True)
class MyMethod:
    """Class maps M_c with negative values set to 0: max(M_c, 0) ** power.

    Args:
        power: above 1, weak evidence counts less.
    """

    power: float = 1.0

    def __post_init__(self) -> None:
        """Check the values: key=value, the rule."""
        if not self.power > 0:
            raise GapnetError(f"saliency.power={self.power}: must be above 0")

    def __call__(self, network: GapNet, seen: Seen, targets: Targets) -> Tensor:
        """Return maps (B, K, h, w) of classes (B, K), from a finished forward pass."""
        # Targets are classes, or functions of the output for methods that can explain these.
        if not isinstance(targets, Tensor):
            raise GapnetError(f"targets={targets!r}: saliency=my_method maps classes only")
        maps = single(network.class_maps(seen.features, targets))
        return maps.clamp(min=0) ** self.power

    def check(self, network: GapNet) -> None:
        """Raise an error, before any work, if the method cannot be used with this network."""
        network.pooling_head()  # which raises one if the network has no class maps

    def passes(self, targets: int, size: tuple[int, int]) -> int:
        """Return how many more passes through the network an image takes; it estimates the cost."""
        return 0
