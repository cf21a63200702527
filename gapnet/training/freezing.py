"""Freezes a part of a network: its weights, and the statistics of its norms."""

from collections.abc import Iterable
from typing import Literal, get_args

from torch import nn

from gapnet.errors import GapnetError
from gapnet.models.gapnet import GapNet
from gapnet.system.value_checks import one_of

Part = Literal["head"]


def freeze(network: GapNet, *, until: str | None, train_only: Part | None) -> list[nn.Module]:
    """Freeze the trunk, all of it or up to a stage; return the frozen modules.

    Args:
        network: its trunk is frozen.
        until: name of a submodule of the trunk: it and all before it are frozen.
        train_only: "head" freezes the whole trunk.

    Returns:
        The modules, which must also stay in eval mode: a norm in training mode updates statistics.
    """
    if until is not None and train_only is not None:
        raise GapnetError(f"optim.freeze_until={until}, train_only={train_only}: choose one")
    one_of("optim.train_only", train_only, get_args(Part), optional=True)
    frozen = list(network.trunk.modules()) if train_only else []
    frozen += _up_to(network.trunk, until) if until is not None else []
    for module in frozen:
        for parameter in module.parameters(recurse=False):
            parameter.requires_grad = False
    return frozen


def batch_norms(module: nn.Module) -> list[nn.Module]:
    """Return the layers of a module that update statistics in training mode."""
    return [part for part in module.modules() if getattr(part, "running_mean", None) is not None]


def set_trained(parameters: Iterable[nn.Parameter], *, trained: bool) -> None:
    """Freeze parameters for some steps, or train them; frozen ones have no gradient."""
    for parameter in parameters:
        parameter.requires_grad = trained
        if not trained:
            parameter.grad = None


def _up_to(trunk: nn.Module, stage: str) -> list[nn.Module]:
    """Return the modules up to a stage, in the order they run, without those that contain it."""
    names = [name for name, _ in trunk.named_modules() if name]
    if stage not in names:
        raise GapnetError(
            f"optim.freeze_until={stage}: is not a stage of the network; choose one of "
            f"{', '.join(_stages(trunk))}, or a submodule of one"
        )
    last = max(index for index, name in enumerate(names) if f"{name}.".startswith(f"{stage}."))
    before = [name for name in names[: last + 1] if not stage.startswith(f"{name}.")]
    return [trunk.get_submodule(name) for name in before]


def _stages(trunk: nn.Module, prefix: str = "") -> list[str]:
    """Return the names of the topmost submodules, below modules with a single child."""
    children = dict(trunk.named_children())
    if len(children) == 1:
        name, only = next(iter(children.items()))
        return _stages(only, f"{prefix}{name}.")
    return [f"{prefix}{name}" for name in children]
