"""Renames the weights of a network that other packages and older versions name in another way."""

import re
from collections.abc import Mapping
from typing import TypeVar

from torch import Size, Tensor

from gapnet.errors import GapnetError

T = TypeVar("T")
COUNTER = "num_batches_tracked"  # old files lack it
# The package efficientnet-pytorch, whose weights come from TensorFlow: its convs pad as "SAME", and
# its batch norms have another epsilon
EFFICIENTNET_PYTORCH = "_conv_stem.weight"
TENSORFLOW = "tf_"  # prefix of timm's networks that do the same

# Prefixes that wrappers and training scripts add to all names of a network
WRAPPERS = ("module.", "model.", "network.", "net.", "backbone.", "encoder.")
# Self-supervised training (MoCo v1, v2; v3): the prefix of the network, and what else is saved
SELF_SUPERVISED = {
    "encoder_q.": ("encoder_k.", "queue"),
    "base_encoder.": ("momentum_encoder.", "predictor."),
}
PROJECTION = ("fc.", "head.")  # layers in place of a classifier in self-supervised training

# Files of torchvision from before 2018
OLD_DENSENET = re.compile(r"(.*denselayer\d+\.(?:norm|conv))\.([12]\..*)")

# timm's name -> torchvision's name of the same network, with the same layers in the same order
TWINS = {
    **{f"efficientnet_b{size}": f"efficientnet_b{size}" for size in range(5)},
    "mobilenetv2_100": "mobilenet_v2",
    "mnasnet_100": "mnasnet1_0",
}
TORCHVISION_STARTS = ("features.0.0.", "layers.0.")  # first names of torchvision's twins
TIMM_STARTS = ("conv_stem.",)


def translate(
    state: Mapping[str, Tensor], layout: Mapping[str, Size], architecture: str
) -> dict[str, Tensor]:
    """Return weights by the names of a layout, if their own names are known; else unchanged."""
    if not lacking(state, layout):
        return dict(state)
    state = {OLD_DENSENET.sub(r"\1\2", name): value for name, value in state.items()}
    if not lacking(state, layout) or not _same_order(state, layout):
        _check_efficientnet(state, layout, architecture)
        return state
    if EFFICIENTNET_PYTORCH in state:
        _check_padding(architecture)
        return _by_order(state, layout)
    if _is_twin(state, layout, architecture):
        return _by_order(state, layout)
    first = next(iter(state))
    raise GapnetError(
        f"has the weights of {architecture} in the same order under other names (such as {first}); "
        "if it is the same network, convert the file with gapnet.models.convert_weights"
    )


def rename_by_order(state: Mapping[str, Tensor], layout: Mapping[str, Size]) -> dict[str, Tensor]:
    """Return weights by the names of a layout that has the same sizes in the same order."""
    if not _same_order(state, layout):
        raise GapnetError("has other weights, or weights in another order")
    return _by_order(state, layout)


def unwrap(state: Mapping[str, Tensor], layout: Mapping[str, Size]) -> dict[str, Tensor]:
    """Return weights without the prefixes of wrappers, and without other parts of a training."""
    bare = dict(state)
    while prefix := _common_prefix(bare):
        bare = _without(prefix, bare)
    for prefix, others in SELF_SUPERVISED.items():
        if any(name.startswith(prefix) for name in bare):
            dropped = (*others, *(f"{prefix}{layer}" for layer in PROJECTION))
            kept = {name: value for name, value in bare.items() if not name.startswith(dropped)}
            bare = _without(prefix, kept)
    return bare if len(lacking(bare, layout)) < len(lacking(state, layout)) else dict(state)


def _common_prefix(state: Mapping[str, Tensor]) -> str:
    prefixes = (prefix for prefix in WRAPPERS if all(name.startswith(prefix) for name in state))
    return next(prefixes, "") if state else ""


def _without(prefix: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in state.items()}


def lacking(state: Mapping[str, Tensor], layout: Mapping[str, Size]) -> set[str]:
    """Return the names of a layout that are not in a state dict."""
    return {name for name in layout if name not in state and not name.endswith(COUNTER)}


def _same_order(state: Mapping[str, Tensor], layout: Mapping[str, Size]) -> bool:
    theirs = [_kind(name, value.shape) for name, value in _counted(state).items()]
    return theirs == [_kind(name, size) for name, size in _counted(layout).items()]


def _by_order(state: Mapping[str, Tensor], layout: Mapping[str, Size]) -> dict[str, Tensor]:
    return dict(zip(_counted(layout), _counted(state).values(), strict=True))


def _counted(named: Mapping[str, T]) -> dict[str, T]:
    """Leave out the counters of batch norms, which have no effect on evaluation."""
    return {name: value for name, value in named.items() if not name.endswith(COUNTER)}


def _kind(name: str, size: Size) -> tuple[str, Size]:
    """Return the last part of a weight's name, and its size."""
    return name.rpartition(".")[2], size


def _check_efficientnet(
    state: Mapping[str, Tensor], layout: Mapping[str, Size], architecture: str
) -> None:
    if EFFICIENTNET_PYTORCH in state and EFFICIENTNET_PYTORCH not in layout:
        raise GapnetError(
            f"contains weights of efficientnet-pytorch that do not fit {architecture}; "
            "choose the network of timm with the same name"
        )


def _check_padding(architecture: str) -> None:
    if not architecture.startswith(TENSORFLOW):
        raise GapnetError(
            "contains weights of efficientnet-pytorch, which need the padding and the batch norms "
            f"of TensorFlow; choose timm's {TENSORFLOW}{architecture} with model.name"
        )


def _is_twin(state: Mapping[str, Tensor], layout: Mapping[str, Size], architecture: str) -> bool:
    """Return whether weights of torchvision are for its twin in timm, or the other way round."""
    if next(iter(layout)).startswith(TIMM_STARTS):
        return architecture in TWINS and next(iter(state)).startswith(TORCHVISION_STARTS)
    return architecture in TWINS.values() and next(iter(state)).startswith(TIMM_STARTS)
