"""The vector of an image at any layer of a network."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from gapnet.errors import GapnetError
from gapnet.models.gapnet import GapNet
from gapnet.models.new_linear_layer import check_vector
from gapnet.models.taps import layers_of, watch
from gapnet.system.value_checks import one_of
from gapnet.transfer.poolings import CROW, POOLINGS

GAP = "gap"  # the vector that the linear layer takes, which is no layer by itself
MAPS, VECTORS = 4, 2  # dimensions of a layer's output, with that of the batch
NONE = "none"  # a vector is taken as it is


@dataclass(frozen=True)
class Layer:
    """A layer of a network, and how its output is pooled to a vector.

    Args:
        name: as `gapnet.models.layer_names` lists it, or "gap": the vector that the linear layer
            takes, which is the pooled features of a network with class maps.
        pool: mean, sum, max, spoc or crow of maps, or none for a layer that returns vectors; by
            default the mean of maps, and vectors as they are.
    """

    name: str
    pool: str | None = None

    def __post_init__(self) -> None:
        """Check the pooling."""
        one_of(f"layer={self.name}:pool", self.pool, (*POOLINGS, NONE), optional=True)
        if self.name == GAP and self.pool is not None:
            raise GapnetError(f"layer={self}: is pooled by the network itself; use layer={GAP}")

    @classmethod
    def of(cls, text: str) -> "Layer":
        """Read a layer from text: NAME or NAME:POOL.

        >>> Layer.of("trunk.3:max")
        Layer(name='trunk.3', pool='max')
        """
        name, colon, pool = text.partition(":")
        return cls(name, pool if colon else None)

    def __str__(self) -> str:
        """Return the text that `of` reads."""
        return self.name if self.pool is None else f"{self.name}:{self.pool}"

    def vector(self, output: object) -> Tensor:
        """Return the vectors (B, D) of a layer's output, (B, D) or (B, D, h, w)."""
        if not isinstance(output, Tensor) or output.ndim not in (MAPS, VECTORS):
            what = tuple(output.shape[1:]) if isinstance(output, Tensor) else type(output).__name__
            raise GapnetError(
                f"layer={self}: returns {what} per image, neither a vector nor maps; choose "
                "another layer"
            )
        default = "mean" if output.ndim == MAPS else NONE
        pool = self.pool or default
        if (pool == NONE) != (output.ndim == VECTORS):
            kind, rule = (
                ("maps", ", ".join(POOLINGS)) if output.ndim == MAPS else ("a vector", NONE)
            )
            raise GapnetError(f"layer={self}: returns {kind}; its pooling must be one of {rule}")
        if pool == CROW and (output < 0).any():
            raise GapnetError(
                f"layer={self}: has negative values, and CroW's weights need maps behind a ReLU; "
                "choose another layer, or another pooling"
            )
        # A copy: the network may change its output in place
        return output.detach().float().clone() if pool == NONE else POOLINGS[pool](output.float())


def layer_vectors(network: GapNet, images: Tensor, layers: Sequence[Layer]) -> dict[Layer, Tensor]:
    """Return the vectors (B, D) of layers in one pass over normalised images (B, 3, H, W)."""
    vectors: dict[Layer, Tensor] = {}
    tapped = [layer for layer in layers if layer.name != GAP]

    def record(name: str, arguments: tuple[object, ...], output: object) -> None:  # noqa: ARG001
        vectors.update({layer: layer.vector(output) for layer in tapped if layer.name == name})

    with watch(layers_of(network, [layer.name for layer in tapped]), record):
        features = network.forward_features(images)
        if tapped:
            network.forward_head(features)
    if len(tapped) < len(layers):
        vectors[Layer(GAP)] = gap_vector(network, features)
    for layer in layers:
        if layer not in vectors:
            raise GapnetError(f"layer={layer}: the network does not run it; choose another layer")
    return {layer: vectors[layer] for layer in layers}


def gap_vector(network: GapNet, features: Tensor) -> Tensor:
    """Return the vectors (B, D) that the linear layer takes, of features (B, C, h, w)."""
    head = network.pooling_head()
    check_vector(network)
    return head.vector(features).float()
