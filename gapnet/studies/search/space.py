"""Search space: keys of a training, with a range, steps or choices."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from optuna import Trial

from gapnet.config.overrides import quoted
from gapnet.errors import GapnetError

KEYS = {"low", "high", "log", "step"}
DIGITS = 4  # of a number that a trial chooses; a training's result depends on no more of them
KINDS = "{low, high}, {low, high, log: true}, {low, high, step} of integers, or a list"


@dataclass(frozen=True)
class Range:
    """Numbers from low to high, on a logarithmic scale if log."""

    low: float
    high: float
    log: bool = False

    def suggest(self, trial: Trial, key: str) -> str:
        """Return the value that a trial chooses, rounded, as text of an override."""
        chosen = trial.suggest_float(key, self.low, self.high, log=self.log)
        return repr(min(max(float(f"{chosen:.{DIGITS}g}"), self.low), self.high))

    def examples(self) -> list[str]:
        """Return values with which a training is composed to check the key."""
        return [repr(self.low), repr(self.high)]

    def __str__(self) -> str:
        """Return the range in words."""
        scale = ", logarithmic" if self.log else ""
        return f"from {self.low:g} to {self.high:g}{scale}"


@dataclass(frozen=True)
class Steps:
    """The integers low, low + step, ... high."""

    low: int
    high: int
    step: int

    def suggest(self, trial: Trial, key: str) -> str:
        """Return the value that a trial chooses, as text of an override."""
        return str(trial.suggest_int(key, self.low, self.high, step=self.step))

    def examples(self) -> list[str]:
        """Return values with which a training is composed to check the key."""
        return [str(self.low), str(self.high)]

    def __str__(self) -> str:
        """Return the steps in words."""
        return f"from {self.low} to {self.high} in steps of {self.step}"


@dataclass(frozen=True)
class Choices:
    """Values of any type, as texts of overrides."""

    texts: tuple[str, ...]

    def suggest(self, trial: Trial, key: str) -> str:
        """Return the value that a trial chooses, as text of an override."""
        return str(trial.suggest_categorical(key, self.texts))

    def examples(self) -> list[str]:
        """Return all values."""
        return list(self.texts)

    def __str__(self) -> str:
        """Return the choices in words."""
        return f"one of {', '.join(self.texts)}"


Dimension = Range | Steps | Choices


def space_of(node: Mapping[str, Any], prefix: str = "") -> dict[str, Dimension]:
    """Read a space from the nested keys of a configuration.

    >>> space_of({"optim": {"lr": {"low": 0.001, "high": 0.1, "log": True}}, "seed": [0, 1]})
    {'optim.lr': Range(low=0.001, high=0.1, log=True), 'seed': Choices(texts=('0', '1'))}
    """
    space: dict[str, Dimension] = {}
    for name, value in node.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and not {"low", "high"} & value.keys():
            space |= space_of(value, f"{key}.")
        else:
            space[key] = _dimension(f"search.{key}", value)
    return space


def _dimension(key: str, value: Any) -> Dimension:
    if isinstance(value, list):
        if len(value) < 2:  # noqa: PLR2004
            raise GapnetError(f"{key}={value}: a choice needs two values or more")
        return Choices(tuple(map(as_override, value)))
    if not isinstance(value, Mapping) or not {"low", "high"} <= value.keys() <= KEYS:
        raise GapnetError(f"{key}={value}: must be {KINDS}")
    for name in ("low", "high"):
        if not (type(value[name]) in (int, float) and math.isfinite(value[name])):
            raise GapnetError(f"{key}.{name}={value[name]}: must be a number")
    if value["low"] >= value["high"]:
        raise GapnetError(f"{key}: low={value['low']} must be below high={value['high']}")
    return _range(key, **value) if value.get("step") is None else _steps(key, **value)


def _range(
    key: str, *, low: float, high: float, log: bool = False, step: int | None = None
) -> Range:
    assert step is None
    if not isinstance(log, bool):
        raise GapnetError(f"{key}.log={log}: must be true or false")
    if log and low <= 0:
        raise GapnetError(f"{key}.low={low}: must be above 0, since log=true")
    return Range(float(low), float(high), log)


def _steps(key: str, *, low: int, high: int, step: int, log: bool = False) -> Steps:
    if log or not all(type(number) is int for number in (low, high, step)):
        raise GapnetError(
            f"{key}: low={low}, high={high}, step={step}: steps must be integers and not log; "
            "list the values instead"
        )
    if step < 1 or (high - low) % step:
        raise GapnetError(f"{key}.step={step}: must lead from low={low} to high={high}")
    return Steps(low, high, step)


def as_override(value: Any) -> str:
    """Write a value as text of an override, in quotes where they are needed.

    >>> as_override(["a", "b, c", None, True, 0.5])
    "[a,'b, c',null,true,0.5]"
    """
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{name}:{as_override(item)}" for name, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ",".join(map(as_override, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return _plain_or_quoted(value) if isinstance(value, str) else repr(value)


def _plain_or_quoted(text: str) -> str:
    try:
        (parsed,) = OverridesParser.create().parse_overrides([f"key={text}"])
        if parsed.value() == text:
            return text
    except HydraException:
        pass
    return quoted(text)


def examples_of(space: Mapping[str, Dimension]) -> list[list[str]]:
    """Return sets of overrides that together have all examples of all keys."""
    examples = {key: dimension.examples() for key, dimension in space.items()}
    most = max(map(len, examples.values()))
    return [
        [f"{key}={texts[min(row, len(texts) - 1)]}" for key, texts in examples.items()]
        for row in range(most)
    ]
