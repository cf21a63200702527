"""Check configured values against the types that a constructor declares."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from gapnet.errors import GapnetError

TYPE_NAMES: dict[Any, str] = {
    int: "an integer",
    float: "a number",
    bool: "true or false",
    str: "a text",
    NoneType: "null",
}


def check_values(target: Callable[..., Any], key: str, values: Mapping[str, Any]) -> None:
    """Refuse a value that does not have the plain type which the signature declares.

    >>> def build(width: int | None = 3) -> None: ...
    >>> check_values(build, "model", {"width": "many"})
    Traceback (most recent call last):
    ...
    gapnet.errors.GapnetError: model.width=many: must be an integer or null
    """
    for name, parameter in inspect.signature(target).parameters.items():
        kinds = _plain_kinds(parameter.annotation)
        if name in values and kinds and not any(_is_of(values[name], kind) for kind in kinds):
            raise GapnetError(f"{key}.{name}={values[name]}: must be {_alternatives(kinds)}")


def _plain_kinds(annotation: Any) -> list[Any]:
    """Return the plain types of an annotation; empty if one of its types is not plain."""
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    if get_origin(annotation) in (Union, UnionType):
        inner = [_plain_kinds(part) for part in get_args(annotation)]
        return [kind for kinds in inner for kind in kinds] if all(inner) else []
    return [annotation] if annotation in TYPE_NAMES else []


def _is_of(value: Any, kind: Any) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind) if isinstance(kind, type) else bool(value == kind)


def _alternatives(kinds: Sequence[Any]) -> str:
    """Return types and values as a list in words.

    >>> _alternatives([16, "16", "bf16", NoneType])
    '16, bf16 or null'
    """
    names = [TYPE_NAMES[kind] if isinstance(kind, type) else str(kind) for kind in kinds]
    *others, last = dict.fromkeys(names)  # in Lightning's types, 16 and "16" mean the same
    return f"{', '.join(others)} or {last}" if others else last
