"""Cut a network where its features are wanted, and change what it takes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, fx, nn

from gapnet.errors import GapnetError

RGB = 3
MAP_DIMENSIONS = 4  # images, channels, height, width


class _Reached(Exception):  # noqa: N818  (ends a tracing that went well)
    """Say that the cut has been traced."""


class _UpTo(fx.Tracer):
    """Trace a network until `at` has run; only what that module lies in is looked into."""

    def __init__(self, at: str = "") -> None:  # without a cut it reads a pickled trunk again
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
    """Take a network from its input to its submodule `at`, whose output is the result's.

    The parts keep their names and are shared with the network; what lies beyond the cut, or is run
    in training alone, does not come along.
    """
    tracer = _UpTo(at)
    try:
        with in_eval(module):
            tracer.trace(module)
    except _Reached:
        return fx.GraphModule(module, tracer.graph, _name(module))
    except Exception as error:  # of any kind: it runs anybody's forward with stand-ins for tensors
        raise GapnetError(
            f"{_name(module)} cannot be followed to {at!r} ({error}): give it as a module "
            "of its own that ends there, without a cut"
        ) from error
    raise GapnetError(f"{_name(module)} never runs its submodule {at!r}: cut elsewhere")


def trunk_of(build: Callable[[], nn.Module], *, at: str) -> nn.Module:
    """Build a network and cut it, with fresh weights; what is cut off never takes memory."""
    device = torch.get_default_device()
    with torch.device("meta"):
        trunk = cut(build(), at)
    return initialise(trunk.to_empty(device=device))


def initialise(module: nn.Module) -> nn.Module:
    """Start convs by He's rule and linear layers small, both without bias; norms as the identity.

    Every parameter is set, so that none is left as a module that was moved from no device has it.
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
            assert not list(part.parameters(recurse=False)), f"no rule starts a {type(part)}"
            continue
        if part.bias is not None:
            nn.init.zeros_(part.bias)
    return module


def without_strides(module: nn.Module) -> nn.Module:
    """Have every conv in a module visit each place, so that its output keeps the input's size."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            part.stride = (1, 1)
    return module


def feature_size(trunk: nn.Module, input_size: tuple[int, int]) -> torch.Size:
    """Find the size (C, h, w) of what a trunk gives for an image, on a copy that does no work."""
    shadow = deepcopy(trunk).to("meta")
    try:
        with torch.no_grad():
            size: torch.Size = shadow.eval()(_blank(shadow, input_size)).shape
    except Exception as error:  # of any kind: it runs anybody's forward
        raise GapnetError(
            f"input_size={input_size}: {_name(trunk)} cannot be shown that ({error})"
        ) from error
    if len(size) != MAP_DIMENSIONS:
        raise GapnetError(f"{_name(trunk)} gives {tuple(size)}, not maps (B, C, h, w)")
    return size[1:]


def output_sizes(
    module: nn.Module, input_size: tuple[int, int], *, channels: int = RGB
) -> dict[str, torch.Size]:
    """Find what each submodule that is run once gives per image; "" is the module itself."""
    seen: dict[str, list[torch.Size]] = {}

    def note(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(part: nn.Module, given: Any, result: Any) -> None:  # noqa: ARG001
            if isinstance(result, Tensor):
                seen.setdefault(name, []).append(result.shape[1:])

        return hook

    image = _blank(module, input_size, channels=channels)
    hooks = [part.register_forward_hook(note(name)) for name, part in module.named_modules()]
    try:
        with torch.no_grad(), in_eval(module):
            module(image)
    finally:
        for hook in hooks:
            hook.remove()
    return {name: sizes[0] for name, sizes in seen.items() if len(sizes) == 1}


@contextmanager
def in_eval(module: nn.Module) -> Iterator[None]:
    """Have a module in eval mode for a while, then each of its parts as it was."""
    modes = {part: part.training for part in module.modules()}
    try:
        module.eval()
        yield
    finally:
        for part, training in modes.items():
            part.training = training


def image_convs(trunk: nn.Module, input_size: tuple[int, int]) -> list[str]:
    """Name the convs that take the image itself, mostly one, on a copy that does no work."""
    shadow = deepcopy(trunk).to("meta").eval()
    image = _blank(shadow, input_size)
    takers: list[nn.Module] = []

    def note(part: nn.Module, given: tuple[Any, ...]) -> None:
        if given and given[0] is image and not list(part.children()):
            takers.append(part)

    with torch.no_grad():
        for part in shadow.modules():
            part.register_forward_pre_hook(note)
        shadow(image)
    names = [name for name, part in shadow.named_modules() if part in takers]
    if not takers or not all(isinstance(part, nn.Conv2d) for part in takers):
        raise GapnetError(
            f"in_channels=1: {_name(trunk)} does more with the image than convolve it; keep 3"
        )
    return names


def add_colours(conv: nn.Module) -> None:
    """Have a conv take one channel: its weights for the three add up.

    A grey image then gives what it gave with its channel three times over.
    """
    assert isinstance(conv, nn.Conv2d)
    conv.weight = nn.Parameter(conv.weight.detach().sum(1, keepdim=True))
    conv.in_channels = 1


def _blank(module: nn.Module, input_size: tuple[int, int], *, channels: int = RGB) -> Tensor:
    """Make a black image where a module's parameters are, of their type."""
    like = next(module.parameters(), torch.empty(0))
    return torch.zeros(1, channels, *input_size, device=like.device, dtype=like.dtype)


def _name(module: nn.Module) -> str:
    return type(module).__name__
