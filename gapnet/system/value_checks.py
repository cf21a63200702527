"""Checks of values that users type; a wrong value is an error `key=value: must be ...`."""

from collections.abc import Callable, Iterable, Mapping
from math import isnan
from operator import ge, gt, le, lt

from gapnet.errors import GapnetError

COMPARE: dict[str, Callable[[float, float], bool]] = {">": gt, ">=": ge, "<": lt, "<=": le}
AS_TYPED = {None: "null", True: "true", False: "false"}  # in YAML and on the command line


def whole_number(
    key: str, value: object, *, least: int = 0, most: int | None = None, optional: bool = False
) -> None:
    """Require an integer from `least` to `most`; None is allowed if it is optional.

    >>> whole_number("loader.batch_size", 0, least=1)
    Traceback (most recent call last):
    gapnet.errors.GapnetError: loader.batch_size=0: must be an integer >= 1
    """
    bounds = {">=": least, "<=": most}
    if not ((isinstance(value, int) and _within(value, bounds)) or (optional and value is None)):
        raise wrong_value(key, value, _rule("an integer", bounds, optional=optional))


def number(
    key: str,
    value: object,
    *,
    above: float | None = None,
    least: float | None = None,
    below: float | None = None,
    most: float | None = None,
    optional: bool = False,
) -> None:
    """Require a number within bounds; None is allowed if it is optional.

    >>> number("optim.warmup", 1, least=0, below=1)
    Traceback (most recent call last):
    gapnet.errors.GapnetError: optim.warmup=1: must be a number >= 0 and < 1
    """
    bounds = {">": above, ">=": least, "<": below, "<=": most}
    if not (_within(value, bounds) or (optional and value is None)):
        raise wrong_value(key, value, _rule("a number", bounds, optional=optional))


def one_of(key: str, value: object, choices: Iterable[object], *, optional: bool = False) -> None:
    """Require one of several values; None is allowed if it is optional.

    >>> one_of("data.truth", "best", ("auto", "xml", "csv"))
    Traceback (most recent call last):
    gapnet.errors.GapnetError: data.truth=best: must be one of auto, xml, csv
    """
    known = [*choices, None] if optional else [*choices]
    if value not in known:
        raise wrong_value(key, value, f"must be one of {', '.join(map(_as_typed, known))}")


def true_or_false(key: str, value: object) -> None:
    """Require a bool."""
    if not isinstance(value, bool):
        raise wrong_value(key, value, "must be true or false")


def wrong_value(key: str, value: object, rule: str) -> GapnetError:
    """Return the error for a value that breaks a rule.

    >>> str(wrong_value("data.size", (16, 48), "must be [height, width]"))
    'data.size=[16, 48]: must be [height, width]'
    """
    return GapnetError(f"{key}={_as_typed(value)}: {rule}")


def _within(value: object, bounds: Mapping[str, float | None]) -> bool:
    """Return whether a value is a number within bounds; NaN and bools are not."""
    if isinstance(value, bool) or not isinstance(value, int | float) or isnan(value):
        return False
    return all(COMPARE[sign](value, bound) for sign, bound in bounds.items() if bound is not None)


def _rule(kind: str, bounds: Mapping[str, float | None], *, optional: bool) -> str:
    limits = " and ".join(f"{sign} {bound}" for sign, bound in bounds.items() if bound is not None)
    return f"must be {kind} {limits}".rstrip() + (", or null" if optional else "")


def _as_typed(value: object) -> str:
    """Return a value as a user would type it."""
    if value is None or isinstance(value, bool):
        return AS_TYPED[value]
    return str(list(value) if isinstance(value, tuple) else value)
