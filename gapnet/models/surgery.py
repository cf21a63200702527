"""Cuts a network after one of its submodules, and changes channels or size of its maps."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, fx, nn

from gapnet.errors import GapnetError
from gapnet.models.taps import Arguments, watch

RGB = 3
MAP_DIMENSIONS = 4  # images, channels, height, width


class _Reached(Exception):  # noqa: N818  (no error: it ends the tracing)
    """Raised when the cut has been traced."""


class _UpTo(fx.Tracer):
    """Tracer that stops when submodule `at` has run; it enters only the modules around `at`."""

    def __init__(self, at: str = "") -> None:  # torch.fx needs the default to unpickle a trunk
        super().__init__()
        self.at = at

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:  # noqa: ARG002
        return not self.at.startswith(f"{module_qualified_name}.")

    def call_module(
        self,
        m: nn.Module,
        forward: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        result = super().call_module(m, forward, args, kwargs)
        if self.path_of_module(m) == self.at:
            self.graph.output(result.node)
            raise _Reached
        return result


def cut(module: nn.Module, at: str) -> nn.Module:
    """Return the part of a network from its input to the output of its submodule `at`.

    The submodules keep their names and are shared with the network. Those after the cut, and those
    that run in training only, are left out.
    """
    tracer = _UpTo(at)
    try:
        with in_eval(module):
            tracer.trace(module)
    except _Reached:
        return fx.GraphModule(module, tracer.graph, _name(module))
    except Exception as error:  # of any kind: any forward runs here, with proxies for tensors
        raise GapnetError(
            f"{_name(module)} cannot be followed to {at!r} ({error}): pass a module "
            "that ends there, without a cut"
        ) from error
    raise GapnetError(f"cut={at!r}: {_name(module)} never runs this submodule; cut at another")


def trunk_of(build: Callable[[], nn.Module], *, at: str) -> nn.Module:
    """Build a network and cut it, with random weights; the part that is cut off needs no memory."""
    device = torch.get_default_device()
    with torch.device("meta"):
        trunk = cut(build(), at)
    return initialise(trunk.to_empty(device=device))


def initialise(module: nn.Module) -> nn.Module:
    """Initialise convs by He's rule, linear layers by small values, biases by 0, norms as identity.

    Every parameter is set, because those of a module from the meta device hold arbitrary values.
    """
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(part, nn.Linear):
            nn.init.normal_(part.weight, std=0.01)
        elif isinstance(part, nn.BatchNorm2d):
            part.reset_parameters()
            continue
        else:
            assert not list(part.parameters(recurse=False)), f"no rule initialises a {type(part)}"
            continue
        if part.bias is not None:
            nn.init.zeros_(part.bias)
    return module


def without_strides(module: nn.Module) -> nn.Module:
    """Set the stride of every conv in a module to 1, so that its output keeps the input's size."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            part.stride = (1, 1)
    return module


def feature_size(trunk: nn.Module, input_size: tuple[int, int]) -> torch.Size:
    """Return the output size (C, h, w) of a trunk per image; a copy on the meta device runs."""
    shadow = deepcopy(trunk).to("meta")
    try:
        with torch.no_grad():
            size: torch.Size = shadow.eval()(_blank(shadow, input_size)).shape
    except Exception as error:  # of any kind: any forward runs here
        raise GapnetError(
            f"input_size={input_size}: {_name(trunk)} cannot take this size ({error})"
        ) from error
    if len(size) != MAP_DIMENSIONS:
        raise GapnetError(f"{_name(trunk)} returns {tuple(size)}, not maps (B, C, h, w)")
    return size[1:]


def output_sizes(
    module: nn.Module, input_size: tuple[int, int], *, channels: int = RGB
) -> dict[str, torch.Size]:
    """Return the output size per image of every submodule that runs once; "" is the module."""
    sizes: dict[str, list[torch.Size]] = {}

    def note(name: str, arguments: Arguments, output: object) -> None:  # noqa: ARG001
        if isinstance(output, Tensor):
            sizes.setdefault(name, []).append(output.shape[1:])

    image = _blank(module, input_size, channels=channels)
    with watch(dict(module.named_modules()), note), torch.no_grad(), in_eval(module):
        module(image)
    return {name: runs[0] for name, runs in sizes.items() if len(runs) == 1}


@contextmanager
def in_eval(module: nn.Module) -> Iterator[None]:
    """Set a module to eval mode inside the block, then restore the mode of every part."""
    modes = {part: part.training for part in module.modules()}
    try:
        module.eval()
        yield
    finally:
        for part, training in modes.items():
            part.training = training


def image_convs(trunk: nn.Module, input_size: tuple[int, int]) -> list[str]:
    """Return the names of the convs that take the image itself, usually one."""
    shadow = deepcopy(trunk).to("meta").eval()
    image = _blank(shadow, input_size)
    parts = {name: part for name, part in shadow.named_modules() if not list(part.children())}
    first_layers: set[str] = set()

    def note(name: str, arguments: Arguments, output: object) -> None:  # noqa: ARG001
        if arguments and arguments[0] is image:
            first_layers.add(name)

    with torch.no_grad(), watch(parts, note):
        shadow(image)
    if not first_layers or not all(isinstance(parts[name], nn.Conv2d) for name in first_layers):
        raise GapnetError(
            f"in_channels=1: {_name(trunk)} passes the image not only to convs; use 3"
        )
    return [name for name in parts if name in first_layers]


def add_colours(conv: nn.Module) -> None:
    """Give a conv one input channel; its weights are the sum over the three colours.

    Its output for a grey image is that of the old conv for the image repeated three times.
    """
    assert isinstance(conv, nn.Conv2d)
    conv.weight = nn.Parameter(conv.weight.detach().sum(1, keepdim=True))
    conv.in_channels = 1


def _blank(module: nn.Module, input_size: tuple[int, int], *, channels: int = RGB) -> Tensor:
    """Return an image of zeros, on the device and of the type of a module's parameters."""
    like = next(module.parameters(), torch.empty(0))
    return torch.zeros(1, channels, *input_size, device=like.device, dtype=like.dtype)


def _name(module: nn.Module) -> str:
    return type(module).__name__
