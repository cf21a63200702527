"""The network that a user chooses: a trained one, or a published one."""

from dataclasses import dataclass
from pathlib import Path

from gapnet.errors import GapnetError
from gapnet.models import catalogue
from gapnet.models.gapnet import GapNet
from gapnet.models.saved import load
from gapnet.models.weights.hub import is_hub_name
from gapnet.runs.folder import short
from gapnet.system.value_checks import whole_number, wrong_value


@dataclass(frozen=True)
class NetworkChoice:
    """A network that is named by its path or by its published name.

    Args:
        path: a run folder, a checkpoint, or an exported network.
        published: a published network, torchvision/NAME or timm/NAME, or hf-hub:OWNER/NAME, in
            place of a path.
        weights: a file of weights for it; None takes the published ones.
        input_size: a side of its images; None is the size that its weights expect.
        stride: pixels of the image per cell of its class maps; None leaves it as it is.
    """

    path: Path | None = None
    published: str | None = None
    weights: str | None = None
    input_size: int | None = None
    stride: int | None = None

    def __post_init__(self) -> None:
        """Check that exactly one network is named, and that it can have these sizes."""
        if (self.path is None) == (self.published is None):
            raise GapnetError(
                f"run={self.path or 'null'}: name one network: run=RUN (a run folder or a "
                "checkpoint), or published=torchvision/NAME, timm/NAME or hf-hub:OWNER/NAME "
                "(model=... is the same in gapnet predict and gapnet demo)"
            )

        for name, value in {"input_size": self.input_size, "stride": self.stride}.items():
            whole_number(name, value, least=1, optional=True)
            if value is not None and (self.path or is_hub_name(self.published)):
                rule = f"only for networks of torchvision and timm; {self} has its own"
                raise wrong_value(name, value, rule)

    def __str__(self) -> str:
        """Return where the network comes from."""
        return str(self.published if self.path is None else short(self.path))

    @property
    def source(self) -> Path | str | None:
        """Return where the weights are; None for published ones, which a library caches."""
        hub = self.published if is_hub_name(self.published) else None
        return self.path or self.weights or hub

    def load(self, *, needs_maps: bool = False) -> GapNet:
        """Return the network in eval mode.

        Args:
            needs_maps: refuse a published network without class maps, before its weights load.
        """
        if self.path is not None:
            return load(self.path).eval()
        if is_hub_name(self.published):
            return load(str(self.published)).eval()
        get = catalogue.published_with_class_maps if needs_maps else catalogue.published
        return get(
            str(self.published),
            weights=self.weights,
            input_size=self.input_size,
            stride=self.stride,
        )
