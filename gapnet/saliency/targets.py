"""Targets other than a class; any function from outputs (B, N) to scores (B,) also is one."""

from dataclasses import dataclass

from torch import Tensor

from gapnet.errors import GapnetError


@dataclass(frozen=True)
class OutputUnit:
    """One output of the network, such as a logit or the value of a regression."""

    index: int

    def __call__(self, outputs: Tensor) -> Tensor:
        """Return the output (B,) of outputs (B, N)."""
        return _unit(outputs, self.index)


@dataclass(frozen=True)
class Margin:
    """The logit of class `a` minus the logit of class `b`: why a and not b."""

    a: int
    b: int

    def __call__(self, outputs: Tensor) -> Tensor:
        """Return the differences (B,) of outputs (B, N)."""
        return _unit(outputs, self.a) - _unit(outputs, self.b)


def _unit(outputs: Tensor, index: int) -> Tensor:
    count = outputs.shape[1]
    if not 0 <= index < count:
        raise GapnetError(f"target={index}: must be the index of an output, 0 to {count - 1}")
    return outputs[:, index]
