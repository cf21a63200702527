"""The network that a job takes: of a checkpoint, or a published one."""

from dataclasses import dataclass
from pathlib import Path

from gapnet.errors import GapnetError
from gapnet.models import catalogue
from gapnet.models.gapnet import GapNet
from gapnet.models.saved import load
from gapnet.runs.folder import short


@dataclass(frozen=True)
class NetworkChoice:
    """A network.

    Args:
        checkpoint: of a trained network.
        published: a published network, torchvision/NAME or timm/NAME, in place of a checkpoint.
        weights: a file of weights for it; None takes the published ones.
    """

    checkpoint: Path | None = None
    published: str | None = None
    weights: str | None = None

    def __post_init__(self) -> None:
        """Check that it is one network."""
        if (self.checkpoint is None) == (self.published is None):
            raise GapnetError(
                "run=null: name one network: run=RUN, checkpoint=FILE or published=torchvision/NAME"
            )

    def load(self) -> GapNet:
        """Return the network in eval mode."""
        if self.checkpoint is not None:
            return load(self.checkpoint)
        return catalogue.published(str(self.published), weights=self.weights)

    def __str__(self) -> str:
        """Return where the network comes from."""
        return str(self.published if self.checkpoint is None else short(self.checkpoint))
