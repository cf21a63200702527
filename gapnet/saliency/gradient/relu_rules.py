"""ReLU with another backward pass, in a network that is left as it is.

A module and a function come down to the same calls, which a mode of torch sees go by.
"""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from gapnet.errors import GapnetError
from gapnet.models.gapnet import GapNet

Call = Callable[..., object]
Arguments = tuple[object, ...]
Named = Mapping[str, object]
RELU = "relu"
# What takes a ReLU's place elsewhere. Gates (sigmoid, tanh) do not: they stand beside one.
OTHERS = frozenset(
    {"celu", "elu", "gelu", "hardswish", "hardtanh", "leaky_relu", "mish", "prelu", "relu6"}
    | {"rrelu", "selu", "silu", "softplus"}
)


class _Calls(TorchFunctionMode):
    """Have every call of torch's done by `do`, for a while."""

    def __init__(self, do: Callable[[Call, Arguments, Named], object]) -> None:
        super().__init__()
        self.do = do

    def __torch_function__(
        self, func: Call, types: Iterable[type], args: Arguments = (), kwargs: Named | None = None
    ) -> object:
        """Do a call, or what stands in for it."""
        return self.do(func, args, kwargs or {})


class Rectifying(_Calls):
    """Have every ReLU, whether module, function or method, done by `rectify` for a while."""

    def __init__(self, rectify: Callable[[Tensor], Tensor]) -> None:
        """Take a function that gives max(x, 0), with the backward pass that is wanted."""

        def do(func: Call, args: Arguments, kwargs: Named) -> object:
            if _name(func) != RELU:
                return func(*args, **kwargs)
            given = args[0] if args else kwargs["input"]
            assert isinstance(given, Tensor)
            rectified = rectify(given)
            inplace = func.__name__.endswith("_") or kwargs.get("inplace", False)
            return given.copy_(rectified) if inplace else rectified

        super().__init__(do)


def rectifiers(network: GapNet) -> set[str]:
    """Name the rectifiers that a network runs, on a copy that does no work."""
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


def check_rectifiers(network: GapNet, method: str) -> None:
    """Refuse a network whose rectifiers are not ReLUs: it would get its plain gradient."""
    ran = rectifiers(network)
    if ran != {RELU}:
        raise GapnetError(
            f"network {network.name!r} has no maps of saliency={method}, which changes ReLUs: its "
            f"rectifiers are {', '.join(sorted(ran)) or 'none'}; take saliency=gradient"
        )


def _name(func: Call) -> str:
    """Name a function as it is called where it leaves its argument alone."""
    return getattr(func, "__name__", "").rstrip("_")
