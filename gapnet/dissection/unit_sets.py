"""Units to dissect: the channels of a layer, or as many random directions in its space."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from gapnet.errors import GapnetError
from gapnet.models.taps import tap

MAPS = 4  # dimensions of a layer's maps (B, C, h, w)


@dataclass(frozen=True)
class UnitSet:
    """Units of a layer.

    Args:
        layer: name of the layer.
        channels: of its output.
        rotation: number of a random rotation of the layer's space, whose axes are the units; None:
            the channels. Rotated units span the same space, so that the network could use them
            just as well (section 3.2 of Network Dissection).
    """

    layer: str
    channels: int
    rotation: int | None = None

    @property
    def name(self) -> str:
        """Return the name of the set, which also names files."""
        return self.layer + ("" if self.rotation is None else f"~rotation{self.rotation}")

    @cached_property
    def _axes(self) -> Tensor | None:
        return None if self.rotation is None else random_rotation(self.channels, self.rotation)

    def maps(self, outputs: Tensor) -> Tensor:
        """Return the maps (B, C, h, w) of the units, of the layer's output (B, C, h, w)."""
        if self._axes is None:
            return outputs
        rotated: Tensor = torch.einsum("uc,bchw->buhw", self._axes.to(outputs), outputs)
        return rotated


def random_rotation(size: int, seed: int) -> Tensor:
    """Return a random orthogonal matrix (size, size), all of them being equally likely.

    >>> rotation = random_rotation(3, seed=0)
    >>> torch.allclose(rotation @ rotation.T, torch.eye(3), atol=1e-6)
    True
    """
    generator = torch.Generator().manual_seed(seed)
    normal = torch.randn(size, size, generator=generator, dtype=torch.float64)
    rotation, triangle = torch.linalg.qr(normal)
    signed: Tensor = rotation * triangle.diagonal().sign()
    return signed.float()


def layer_maps(network: nn.Module, images: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
    """Return the maps (B, C, h, w) of layers in one pass over normalised images (B, 3, H, W)."""
    with tap(network, layers) as seen:
        network(images)
    for layer in layers:
        if seen[layer].ndim != MAPS:
            raise GapnetError(
                f"layers={layer}: returns {tuple(seen[layer].shape[1:])} per image, not maps "
                "(C, h, w); choose another layer"
            )
    return {layer: seen[layer].float() for layer in layers}


def check_finite(maps: dict[str, Tensor], ids: Sequence[str]) -> None:
    """Refuse maps with NaN or infinite values."""
    for layer, values in maps.items():
        wrong = (~torch.isfinite(values)).flatten(1).any(1).nonzero().flatten().tolist()
        if wrong:
            raise GapnetError(
                f"image {ids[wrong[0]]}: layers={layer} has NaN or infinite values; check the "
                "network's weights"
            )
