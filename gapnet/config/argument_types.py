"""Check configured values against the types that a constructor declares."""

import inspect
from collections.abc import Callable, Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from gapnet.errors import GapnetError

WORDS: dict[Any, str] = {
    int: "an integer",
    float: "a number",
    bool: "true or false",
    str: "a text",
    NoneType: "null",
}


def check_values(target: Callable[..., Any], key: str, values: Mapping[str, Any]) -> None:
    """Refuse a value whose parameter is declared of other plain types; say of which.

    >>> def build(width: int | None = 3) -> None: ...
    >>> check_values(build, "model", {"width": "many"})
    Traceback (most recent call last):
    ...
    gapnet.errors.GapnetError: model.width=many: must be an integer or null
    """
    for name, parameter in inspect.signature(target).parameters.items():
        kinds = _plain_kinds(parameter.annotation)
        if name in values and kinds and not any(_is_of(values[name], kind) for kind in kinds):
            told = " or ".join(_word(kind) for kind in kinds)
            raise GapnetError(f"{key}.{name}={values[name]}: must be {told}")


def _plain_kinds(annotation: Any) -> list[Any]:
    """List the plain types of an annotation; none if it has one of another kind."""
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    if get_origin(annotation) in (Union, UnionType):
        inner = [_plain_kinds(each) for each in get_args(annotation)]
        return [kind for kinds in inner for kind in kinds] if all(inner) else []
    return [annotation] if annotation in WORDS else []


def _is_of(value: Any, kind: Any) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind) if isinstance(kind, type) else bool(value == kind)


def _word(kind: Any) -> str:
    return WORDS[kind] if isinstance(kind, type) else repr(kind)
