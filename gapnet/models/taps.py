"""Outputs of any layer of a network, by the layer's name.

This is the only file of gapnet that registers hooks on modules.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from gapnet.errors import GapnetError

Arguments = tuple[object, ...]
Watcher = Callable[[str, Arguments, object], object]


class Outputs(dict[str, Tensor]):
    """Outputs of tapped layers by name; reading the output of a layer that did not run fails."""

    def __missing__(self, name: str) -> Tensor:
        """Raise an error that says why there is no output."""
        raise GapnetError(
            f"layer={name!r}: has no output; tap it, and run a part of the network that uses it "
            "inside the `with` block"
        )


@contextmanager
def tap(network: nn.Module, names: Sequence[str]) -> Iterator[Outputs]:
    """Record the outputs of layers in the forward passes inside a `with` block.

    An output is what the layer returned, even if the network changes it in place afterwards. If a
    layer runs several times, in one pass or in several, its last output is recorded. The network
    computes the same values as without the tap, and its hooks are removed when the block ends; the
    outputs can still be read.

    Where gradients are enabled, `torch.autograd.grad(score, seen[name])` gives the gradient of a
    score that was computed from the output. If neither the image nor a parameter before the layer
    requires gradients, they are recorded from the layer on. Under `torch.no_grad()` outputs have no
    graph.

    Args:
        network: any module.
        names: of layers, as `layer_names` lists them; a layer must return one tensor.

    >>> network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(inplace=True))
    >>> with tap(network, ["0"]) as seen:
    ...     rectified = network(torch.randn(1, 3, 2, 2))
    >>> torch.equal(seen["0"].relu(), rectified)
    True
    """
    seen = Outputs()

    def record(name: str, arguments: Arguments, output: object) -> Tensor:  # noqa: ARG001
        seen[name] = _recorded(name, output)
        return seen[name].clone()  # the network may change its copy in place

    with watch(layers_of(network, names), record):
        yield seen


@contextmanager
def watch(layers: Mapping[str, nn.Module], watcher: Watcher) -> Iterator[None]:
    """Call a function after every run of the given layers inside a `with` block.

    Args:
        layers: by name.
        watcher: takes a layer's name, positional arguments and output. If it returns a value, the
            network uses that instead of the output; if it returns None, the output.
    """
    with ExitStack() as hooks:
        for name, layer in layers.items():
            hooks.enter_context(layer.register_forward_hook(_hook(name, watcher)))
        yield


def layer_names(network: nn.Module) -> list[str]:
    """List the layers that can be tapped: all submodules that have a `forward`.

    A layer that a network has but does not run, such as an auxiliary classifier, is also listed.

    >>> layer_names(nn.Sequential(nn.ModuleList([nn.ReLU()])))
    ['0.0']
    """
    return [
        name
        for name, layer in network.named_modules()
        if name and type(layer).forward is not nn.Module.forward
    ]


def layer_output(network: nn.Module, name: str) -> Callable[[Tensor], Tensor]:
    """Return a function from images (B, C, H, W) to the output of one layer."""

    def run(images: Tensor) -> Tensor:
        with tap(network, [name]) as seen:
            network(images)
        return seen[name]

    return run


def layers_of(network: nn.Module, names: Sequence[str]) -> dict[str, nn.Module]:
    """Return layers by their names; an unknown name is an error."""
    if isinstance(names, str):
        raise GapnetError(f"layer={names!r}: pass a list of names")
    known = layer_names(network)
    for name in names:
        if name not in known:
            raise GapnetError(_unknown(name, known, type(network).__name__))
    return {name: network.get_submodule(name) for name in names}


def _hook(name: str, watcher: Watcher) -> Callable[[nn.Module, Arguments, object], object]:
    return lambda layer, arguments, output: watcher(name, arguments, output)  # noqa: ARG005


def _recorded(name: str, output: object) -> Tensor:
    """Return a layer's output, from which gradients are recorded where they are enabled."""
    if not isinstance(output, Tensor):
        raise GapnetError(
            f"layer={name!r}: returns a {type(output).__name__}, not a tensor; tap a layer inside "
            "it, or one that takes its output"
        )
    if output.requires_grad or not (torch.is_grad_enabled() and output.is_floating_point()):
        return output
    return output.detach().clone().requires_grad_()  # a copy: an inference tensor cannot require it


def _unknown(name: str, known: list[str], network: str) -> str:
    near = [repr(close) for close in difflib.get_close_matches(name, known)]
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return (
        f"layer={name!r}: is not a layer of this {network}; {hint}"
        "gapnet.models.layer_names(network) lists all"
    )
