"""The network that a user chooses for pictures: a run, or a published network."""

from dataclasses import dataclass
from pathlib import Path

import torch

from gapnet.errors import GapnetError
from gapnet.models import catalogue
from gapnet.models.gapnet import GapNet
from gapnet.models.saved import load
from gapnet.models.weights.hub import is_hub_name


@dataclass(frozen=True)
class NetworkChoice:
    """A network, by its run or by its name.

    Args:
        run: a run folder, a checkpoint, or an exported network.
        published: a published network, torchvision/NAME or timm/NAME, or hf-hub:OWNER/NAME, in
            place of a run.
        weights: a file of weights for it; None takes the published ones.
    """

    run: Path | None = None
    published: str | None = None
    weights: str | None = None

    def check(self) -> None:
        """Check that exactly one network is named."""
        if (self.run is None) == (self.published is None):
            raise GapnetError(
                f"run={self.run or 'null'}: name a network: either run=RUN (a run folder or a "
                "checkpoint) or model=timm/NAME (or torchvision/NAME, hf-hub:OWNER/NAME)"
            )

    @property
    def source(self) -> Path | str | None:
        """Return where the weights lie; None for published ones that a library caches."""
        hub = self.published if is_hub_name(self.published) else None
        return self.run or self.weights or hub

    def load(self, *, needs_maps: bool) -> GapNet:
        """Load the network, on a GPU if there is one.

        Args:
            needs_maps: refuse a published network without class maps, before its weights load.
        """
        if self.run is not None:
            network = load(self.run)
        elif is_hub_name(self.published):
            network = load(str(self.published))
        else:
            get = catalogue.published_with_class_maps if needs_maps else catalogue.published
            network = get(str(self.published), weights=self.weights)
        return network.to("cuda" if torch.cuda.is_available() else "cpu").eval()
