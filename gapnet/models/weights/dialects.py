"""Weights of other packages for the same architectures under other names."""

from collections.abc import Mapping

import torch
from torch import Tensor

from gapnet.errors import GapnetError

# The package efficientnet-pytorch, whose weights come from TensorFlow: its convs pad as "SAME"
EFFICIENTNET_PYTORCH = "_conv_stem.weight"
TENSORFLOW = "tf_"  # prefix of timm's networks that pad alike


def translate(
    state: Mapping[str, Tensor], layout: Mapping[str, torch.Size], architecture: str
) -> dict[str, Tensor]:
    """Return weights by the names of a layout, if they are in a known dialect; else unchanged.

    The dialect of efficientnet-pytorch has the same tensors in the same order as timm.
    """
    if EFFICIENTNET_PYTORCH not in state or EFFICIENTNET_PYTORCH in layout:
        return dict(state)
    theirs = [(name, tuple(value.shape)) for name, value in state.items()]
    ours = [(name, tuple(size)) for name, size in layout.items()]
    if [_kind(item) for item in theirs] != [_kind(item) for item in ours]:
        raise GapnetError(
            f"contains weights of efficientnet-pytorch that do not fit {architecture}; "
            "choose the network of timm with the same name"
        )
    if not architecture.startswith(TENSORFLOW):
        raise GapnetError(
            f"contains weights of efficientnet-pytorch, which need the padding of TensorFlow; "
            f"use model.name=timm/{TENSORFLOW}{architecture}"
        )
    return dict(zip(layout, state.values(), strict=True))


def _kind(item: tuple[str, tuple[int, ...]]) -> tuple[str, tuple[int, ...]]:
    """Return the last part of a weight's name, and its size."""
    name, size = item
    return name.rpartition(".")[2], size
