"""Hold a part of a network as it is: its weights, and the statistics of its norms."""

from typing import Literal, get_args

from torch import nn

from gapnet.errors import GapnetError
from gapnet.models.gapnet import GapNet
from gapnet.system.value_checks import one_of

Part = Literal["head"]


def freeze(network: GapNet, *, until: str | None, train_only: Part | None) -> list[nn.Module]:
    """Take the gradient from the trunk, whole or up to a stage; give the modules that this holds.

    Args:
        network: whose trunk it is.
        until: a submodule of the trunk, by name: it and all before it are held.
        train_only: "head" holds the whole trunk.

    Returns:
        The modules, which must also stay in eval mode: a norm in training would go on counting.
    """
    if until is not None and train_only is not None:
        raise GapnetError(f"optim.freeze_until={until}, train_only={train_only}: choose one")
    one_of("optim.train_only", train_only, get_args(Part), optional=True)
    held = list(network.trunk.modules()) if train_only else []
    held += _up_to(network.trunk, until) if until is not None else []
    for part in held:
        for parameter in part.parameters(recurse=False):
            parameter.requires_grad = False
    return held


def _up_to(trunk: nn.Module, stage: str) -> list[nn.Module]:
    """List the modules that end with a stage, in the order they run; not those it is a part of."""
    names = [name for name, _ in trunk.named_modules() if name]
    if stage not in names:
        raise GapnetError(
            f"optim.freeze_until={stage}: is no stage of the network; there are: "
            f"{', '.join(_stages(trunk))}, and what is in them"
        )
    last = max(place for place, name in enumerate(names) if f"{name}.".startswith(f"{stage}."))
    before = [name for name in names[: last + 1] if not stage.startswith(f"{name}.")]
    return [trunk.get_submodule(name) for name in before]


def _stages(trunk: nn.Module, prefix: str = "") -> list[str]:
    """Name the topmost submodules that there are several of."""
    children = dict(trunk.named_children())
    if len(children) == 1:
        name, only = next(iter(children.items()))
        return _stages(only, f"{prefix}{name}.")
    return [f"{prefix}{name}" for name in children]
