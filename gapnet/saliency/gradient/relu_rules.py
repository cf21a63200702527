"""Replace the backward pass of every ReLU while a network runs, without changing the network.

ReLU modules and functions end in the same torch functions, which a TorchFunctionMode intercepts.
"""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from gapnet.errors import GapnetError

if TYPE_CHECKING:
    from gapnet.models.gapnet import GapNet

Call = Callable[..., object]
Arguments = tuple[object, ...]
Named = Mapping[str, object]
RELU = "relu"
# Activations that other networks use instead of a ReLU. Sigmoid and tanh are gates, used beside it.
OTHERS = frozenset(
    {"celu", "elu", "gelu", "hardswish", "hardtanh", "leaky_relu", "mish", "prelu", "relu6"}
    | {"rrelu", "selu", "silu", "softplus"}
)


class _Calls(TorchFunctionMode):
    """Mode in which `do` replaces every call of a torch function."""

    def __init__(self, do: Callable[[Call, Arguments, Named], object]) -> None:
        super().__init__()
        self.do = do

    def __torch_function__(
        self, func: Call, types: Iterable[type], args: Arguments = (), kwargs: Named | None = None
    ) -> object:
        """Pass a call on to `do`."""
        return self.do(func, args, kwargs or {})


class Rectifying(_Calls):
    """Mode in which `rectify` replaces every ReLU, whether module, function or method."""

    def __init__(self, rectify: Callable[[Tensor], Tensor]) -> None:
        """Take a function that returns max(x, 0) and has the backward pass to use."""

        def do(func: Call, args: Arguments, kwargs: Named) -> object:
            if _name(func) != RELU:
                return func(*args, **kwargs)
            values = args[0] if args else kwargs["input"]
            assert isinstance(values, Tensor)
            rectified = rectify(values)
            inplace = func.__name__.endswith("_") or kwargs.get("inplace", False)
            return values.copy_(rectified) if inplace else rectified

        super().__init__(do)


def activations(network: "GapNet") -> set[str]:
    """Return the names of the activations that a network runs; a copy on the meta device runs."""
    shadow = deepcopy(network).to("meta").eval()
    size = (1, network.channels, *network.facts.input_size)
    image = torch.empty(size, device="meta", dtype=network.mean.dtype)
    ran: set[str] = set()

    def note(func: Call, args: Arguments, kwargs: Named) -> object:
        ran.add(_name(func))
        return func(*args, **kwargs)

    with torch.no_grad(), _Calls(note):
        shadow(image)
    return ran & {RELU, *OTHERS}


def check_activations(network: "GapNet", method: str) -> None:
    """Raise an error if a network has activations other than ReLU, which keep their gradient."""
    ran = activations(network)
    if ran != {RELU}:
        raise GapnetError(
            f"saliency={method}: network {network.name!r} must have ReLU activations only, but has "
            f"{', '.join(sorted(ran)) or 'none'}; use saliency=gradient"
        )


def _name(func: Call) -> str:
    """Return the name of a function without the underscore of its in-place form."""
    return getattr(func, "__name__", "").rstrip("_")
